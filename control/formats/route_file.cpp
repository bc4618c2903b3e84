// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/route_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::formats {
namespace {

auto parse_addresses(std::string_view list) -> tl::expected<std::vector<std::uint32_t>, std::string> {
  std::vector<std::uint32_t> result;
  for (;;) {
    const auto comma = list.find(',');
    const auto word = list.substr(0, comma);
    const auto address = base::parse_address(word);
    if (!address)
      return tl::unexpected(address.error());
    if (std::ranges::find(result, *address) != result.end())
      return tl::unexpected(fmt::format("duplicate next hop {}", word));
    result.push_back(*address);
    if (comma == std::string_view::npos)
      return result;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string to_string(const NextHop& next_hop) {
  using route::NextHopType;
  switch (next_hop.type) {
    case NextHopType::named:
      return next_hop.name.empty() ? "-" : next_hop.name;
    case NextHopType::virtual_appliance:
    case NextHopType::virtual_appliance_ecmp: {
      std::string list;
      for (const auto address : next_hop.addresses)
        list += (list.empty() ? "" : ",") + base::address_to_string(address);
      return list;
    }
    default:
      return std::string{route::to_string(next_hop.type)};
  }
}

auto parse_next_hop(std::string_view word) -> tl::expected<NextHop, std::string> {
  using route::NextHopType;
  if (word == "-")
    return NextHop{};
  if (const auto address = base::parse_address(word))
    return NextHop{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {*address}};
  if (word.find(',') != std::string_view::npos) {
    auto addresses = parse_addresses(word);
    if (!addresses)
      return tl::unexpected(std::move(addresses.error()));
    if (addresses->size() < least_ecmp || addresses->size() > most_ecmp)
      return tl::unexpected(
          fmt::format("{} next hops are not between {} and {}", addresses->size(), least_ecmp, most_ecmp));
    return NextHop{
        .type = NextHopType::virtual_appliance_ecmp, .name = {}, .addresses = std::move(*addresses)};
  }
  if (const auto type = route::parse_next_hop_type(word)) {
    if (*type == NextHopType::virtual_appliance || *type == NextHopType::virtual_appliance_ecmp)
      return tl::unexpected(fmt::format("next hop {} is written as its address", word));
    return NextHop{.type = *type, .name = {}, .addresses = {}};
  }
  return NextHop{.type = NextHopType::named, .name = std::string{word}, .addresses = {}};
}

}  // namespace sekisho::formats
