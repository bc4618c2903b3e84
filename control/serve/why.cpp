// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sekisho::serve {
namespace {

using route::Origin;
using route::Route;

// What tells origins apart that Azure calls the same.
std::string_view rank(Origin origin) {
  switch (origin) {
    case Origin::system_none:
    case Origin::system:
      return "another System route";
    case Origin::bgp:
      return "BGP";
    case Origin::vnet:
      return "a System route of the VNet";
    case Origin::user_cloud_tag:
      return "AzureCloud";
    case Origin::user_regional_cloud_tag:
      return "a region of AzureCloud";
    case Origin::user_tag:
      return "a service tag";
    case Origin::user_regional_tag:
      return "a region's service tag";
    case Origin::user:
      return "an explicit route";
  }
  return "?";
}

std::pair<std::string_view, std::string_view> names_of(Origin winner, Origin loser) {
  const auto same = route::to_string(winner) == route::to_string(loser);
  return same ? std::pair{rank(winner), rank(loser)}
              : std::pair{route::to_string(winner), route::to_string(loser)};
}

bool is_override(const policy::Policy& policy, const Route& route) {
  return policy.names[route.source] == policy::override_source;
}

std::string why_lost(const policy::Policy& policy, const policy::ZonePolicy& zone, const Route& winner,
                     const Route& route) {
  if (const auto* shadow = zone.table.shadow(route);
      shadow != nullptr && route.origin == Origin::system_none) {
    return fmt::format("Azure has no None routes while the default leads to {}",
                       policy.names[shadow->next_hop]);
  } else if (shadow != nullptr) {
    return "BGP gives way to the VNet's " + base::to_string(shadow->prefix);
  }
  if (route.prefix != winner.prefix) {
    return "shorter than " + base::to_string(winner.prefix);
  }
  if (is_override(policy, winner)) {
    return "replaced by an override";
  }
  if (route.origin == winner.origin) {
    return "replaced by a later line";
  }
  const auto [before, behind] = names_of(winner.origin, route.origin);
  return fmt::format("{} goes before {}", before, behind);
}

std::string why_won(const policy::Policy& policy, const std::vector<Route>& covering) {
  const auto& winner = covering.front();
  if (covering.size() == 1) {
    return "the only route that covers it";
  }
  const auto& next = covering[1];
  if (next.prefix != winner.prefix) {
    return "longest prefix";
  }
  if (is_override(policy, winner)) {
    return "an override";
  }
  const auto same = std::count_if(covering.begin(), covering.end(), [&](const Route& other) {
    return other.prefix == winner.prefix && other.origin == winner.origin;
  });
  if (same > 1) {
    return same == 2 ? "last of two" : "last of " + std::to_string(same);
  }
  const auto [before, behind] = names_of(winner.origin, next.origin);
  return fmt::format("{} before {}", before, behind);
}

}  // namespace

std::string why(const policy::Policy& policy, const policy::ZonePolicy& zone,
                const std::vector<Route>& covering, std::size_t index) {
  return index == 0 ? why_won(policy, covering) : why_lost(policy, zone, covering.front(), covering[index]);
}

}  // namespace sekisho::serve
