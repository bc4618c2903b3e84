// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/mac_address.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/text.hpp"

namespace sekisho::base {
namespace {

constexpr int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

auto parse_mac(std::string_view text) -> tl::expected<MacAddress, std::string> {
  MacAddress mac{};
  const auto refuse = [&](std::string_view why) {
    return tl::unexpected(fmt::format("{} {}", in_quotes(text), why));
  };
  constexpr std::size_t size = 17;
  if (text.size() != size)
    return refuse("is not a MAC address, as 02:00:00:00:00:01");
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const int high = digit(text[3 * i]);
    const int low = digit(text[3 * i + 1]);
    if (high < 0 || low < 0 || (i != 0 && text[3 * i - 1] != ':'))
      return refuse("is not a MAC address, as 02:00:00:00:00:01");
    mac[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if ((mac[0] & 1) != 0)
    return refuse("is a group address, not that of a station");
  if (mac == MacAddress{})
    return refuse("is not the address of a station");
  return mac;
}

auto mac_to_string(const MacAddress& mac) -> std::string {
  return fmt::format("{:02x}", fmt::join(mac, ":"));
}

}  // namespace sekisho::base
