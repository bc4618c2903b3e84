// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/addresses.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"

namespace sekisho::config {
namespace {

constexpr base::Prefix this_network{0, 8};       // RFC 1122, 3.2.1.3 (a): never a source but at start-up
constexpr base::Prefix loopback{127U << 24, 8};  // RFC 1122, 3.2.1.3 (g): never outside a host
constexpr base::Prefix multicast_and_more{7U << 29, 3};  // 224/4 multicast, 240/4 reserved, limited broadcast

// Why no packet on a wire may come from there or be meant for one host there.
auto refuse_martian(base::Prefix prefix) -> std::string_view {
  if (this_network.covers(prefix))
    return "is in 0.0.0.0/8 (\"this network\")";
  if (loopback.covers(prefix))
    return "is in 127.0.0.0/8 (loopback)";
  if (multicast_and_more.covers(prefix))
    return "is in 224.0.0.0/3 (multicast and reserved)";
  return {};
}

}  // namespace

auto parse_host(std::string_view text) -> tl::expected<std::uint32_t, std::string> {
  const auto address = base::parse_address(text);
  if (!address)
    return tl::unexpected(address.error());
  if (const auto reason = refuse_martian({*address, 32}); !reason.empty())
    return tl::unexpected(fmt::format("{} {} and cannot be a host's address", text, reason));
  return *address;
}

auto parse_interface_address(std::string_view text) -> tl::expected<InterfaceAddress, std::string> {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return tl::unexpected(fmt::format("{} has no length; write the address with its subnet's, as 10.0.1.4/24",
                                      base::in_quotes(text)));
  const auto address = parse_host(text.substr(0, slash));
  if (!address)
    return tl::unexpected(address.error());
  const auto digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (code != std::errc{} || end != digits.data() + digits.size() || digits.front() == '0' || length > 32)
    return tl::unexpected(fmt::format("{} is not a subnet length (1 to 32)", base::in_quotes(digits)));
  const InterfaceAddress result{*address, static_cast<std::uint8_t>(length)};
  // RFC 3021 takes both away from /31: "the use of 31-bit prefixes on IPv4 point-to-point links".
  const auto subnet = subnet_of(result);
  if (length < 31 && (*address == subnet.address || *address == subnet.last()))
    return tl::unexpected(fmt::format("{} is the {} address of its subnet", text,
                                      *address == subnet.address ? "network" : "broadcast"));
  return result;
}

auto parse_endpoint(std::string_view text)
    -> tl::expected<std::pair<std::uint32_t, std::uint16_t>, std::string> {
  const auto colon = text.find(':');
  const auto address = base::parse_address(text.substr(0, colon));
  const auto digits = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!address || code != std::errc{} || end != digits.data() + digits.size() || port == 0)
    return tl::unexpected(
        fmt::format("{} is not an IPv4 address and TCP port, such as 127.0.0.1:9273", base::in_quotes(text)));
  if (multicast_and_more.covers({*address, 32}))
    return tl::unexpected(
        fmt::format("{} is in 224.0.0.0/3 (multicast and reserved): nobody can listen there",
                    base::address_to_string(*address)));
  return std::pair{*address, port};
}

auto parse_source(std::string_view text) -> tl::expected<base::Prefix, std::string> {
  const auto prefix = base::parse_prefix(text);
  if (!prefix)
    return tl::unexpected(prefix.error());
  if (const auto reason = refuse_martian(*prefix); !reason.empty())
    return tl::unexpected(fmt::format("{} {} and cannot be a source", text, reason));
  return *prefix;
}

auto parse_vnet(std::string_view text) -> tl::expected<base::Prefix, std::string> {
  // Azure, "Virtual Network FAQ": "The smallest supported IPv4 subnet is /29, and the largest is /2". A VNet of 0.0.0.0/0
  // would be a default route that no firewall sees.
  constexpr std::uint8_t shortest = 2;
  constexpr std::uint8_t longest = 29;
  const auto prefix = base::parse_prefix(text);
  if (!prefix)
    return tl::unexpected(prefix.error());
  if (const auto reason = refuse_martian(*prefix); !reason.empty())
    return tl::unexpected(fmt::format("{} {} and cannot be a VNet's", text, reason));
  if (prefix->length < shortest || prefix->length > longest)
    return tl::unexpected(fmt::format("{} cannot be a VNet's: /{} to /{}", text, shortest, longest));
  return *prefix;
}

auto subnet_of(const InterfaceAddress& address) -> base::Prefix {
  base::Prefix subnet{0, address.length};
  subnet.address = address.address & subnet.mask();
  return subnet;
}

auto to_string(const InterfaceAddress& address) -> std::string {
  return fmt::format("{}/{}", base::address_to_string(address.address), address.length);
}

}  // namespace sekisho::config
