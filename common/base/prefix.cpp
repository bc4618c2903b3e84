// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/prefix.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>

namespace sekisho::base {
namespace {

// A hostile file must not fill the log with its own lines.
auto quoted(std::string_view text) -> std::string {
  constexpr std::size_t longest = 48;
  return text.size() <= longest ? fmt::format("{:?}", text) : fmt::format("{:?}...", text.substr(0, longest));
}

// Takes a decimal number without sign or leading zeros off the front of `text`.
auto take_number(std::string_view& text, unsigned max) -> std::optional<unsigned> {
  constexpr std::size_t most_digits = 3;  // one more is read, and is too many for any `max` here
  unsigned value = 0;
  std::size_t digits = 0;
  for (; digits <= most_digits && digits < text.size(); ++digits) {
    const auto digit = static_cast<unsigned>(text[digits]) - '0';
    if (digit > 9) {
      break;
    }
    value = 10 * value + digit;
  }
  if (digits == 0 || value > max || (digits > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return value;
}

auto take_address(std::string_view& text) -> std::optional<std::uint32_t> {
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (!text.starts_with('.')) {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
    // inet_aton reads "010" as 8: a leading zero has two meanings, so it has none here.
    const auto value = take_number(text, 255);
    if (!value) {
      return std::nullopt;
    }
    address = address << 8 | *value;
  }
  return address;
}

}  // namespace

auto parse_address(std::string_view text) -> tl::expected<std::uint32_t, ParseError> {
  std::string_view rest = text;
  const auto address = take_address(rest);
  if (!address || !rest.empty()) {
    return tl::unexpected(fmt::format("{} is not an IPv4 address", quoted(text)));
  }
  return *address;
}

auto parse_prefix(std::string_view text) -> tl::expected<Prefix, ParseError> {
  std::string_view rest = text;
  const auto address = take_address(rest);
  if (address && rest.empty()) {
    return tl::unexpected(fmt::format("the prefix length is missing ({0}; did you mean {0}/32?)", text));
  }
  if (!address || !rest.starts_with('/')) {
    return tl::unexpected(fmt::format("{} is not an IPv4 prefix", quoted(text)));
  }
  rest.remove_prefix(1);
  const auto length = take_number(rest, 32);
  if (!length || !rest.empty()) {
    return tl::unexpected(fmt::format("the prefix length is not a number from 0 to 32 ({})", quoted(text)));
  }
  Prefix prefix{.address = *address, .length = static_cast<std::uint8_t>(*length)};
  if ((prefix.address & ~prefix.mask()) != 0) {
    prefix.address &= prefix.mask();
    return tl::unexpected(fmt::format("host bits are set ({}; did you mean {}?)", text, to_string(prefix)));
  }
  return prefix;
}

auto to_string(Prefix prefix) -> std::string {
  return fmt::format("{}/{}", address_to_string(prefix.address), prefix.length);
}

auto address_to_string(std::uint32_t address) -> std::string {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
}

}  // namespace sekisho::base
