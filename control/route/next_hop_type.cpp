// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/next_hop_type.hpp"

#include <algorithm>
#include <array>

namespace sekisho::route {
namespace {

constexpr std::array<std::string_view, 13> spellings{
    "",
    "VirtualAppliance",
    "VirtualApplianceEcmp",
    "VirtualNetworkGateway",
    "VnetLocal",
    "Internet",
    "None",
    "VNetPeering",
    "VNetGlobalPeering",
    "VirtualNetworkServiceEndpoint",
    "InterfaceEndpoint",
    "ConnectedGroup",
    "NatGateway",
};
static_assert(spellings.size() == static_cast<std::size_t>(NextHopType::nat_gateway) + 1);

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view to_string(NextHopType type) noexcept {
  return spellings[static_cast<std::size_t>(type)];
}

auto parse_next_hop_type(std::string_view word) noexcept -> std::optional<NextHopType> {
  const auto found = std::ranges::find_if(
      spellings, [&](std::string_view known) { return std::ranges::equal(word, known, {}, lower, lower); });
  if (word.empty() || found == spellings.end())
    return std::nullopt;
  return static_cast<NextHopType>(found - spellings.begin());
}

bool is_output_only(NextHopType type) noexcept {
  return type >= NextHopType::vnet_peering;
}

}  // namespace sekisho::route
