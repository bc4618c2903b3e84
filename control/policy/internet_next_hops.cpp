// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/internet_next_hops.hpp"

#include <algorithm>
#include <array>

namespace sekisho::policy {
namespace {

constexpr std::array halves{base::Prefix{0, 1}, base::Prefix{0x80000000, 1}};

const route::Route* winner_of(const route::RouteTable& table, base::Prefix prefix) {
  const auto& routes = table.candidates();
  const auto first = std::ranges::lower_bound(routes, prefix, {}, &route::Route::prefix);
  return first != routes.end() && first->prefix == prefix && table.wins(*first) ? &*first : nullptr;
}

}  // namespace

auto internet_next_hops(const Policy& policy, const ZonePolicy& zone) -> std::set<std::string> {
  std::set<std::string> result;
  for (const auto half : halves) {
    const auto* route = winner_of(zone.table, half);
    if (route == nullptr) {
      route = winner_of(zone.table, {0, 0});
    }
    if (route != nullptr) {
      result.insert(policy.names[route->next_hop]);
    }
  }
  return result;
}

}  // namespace sekisho::policy
