// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/bgp_routes.hpp"

#include <algorithm>

namespace sekisho::cli {

auto BgpRoutes::merge() && -> std::vector<Route> {
  std::ranges::sort(routes_, {}, &Route::first);
  std::vector<Route> result;
  for (auto& [prefix, next_hops] : routes_) {
    if (result.empty() || result.back().first != prefix) {
      result.emplace_back(prefix, std::move(next_hops));
    } else {
      result.back().second.insert(result.back().second.end(), next_hops.begin(), next_hops.end());
    }
  }
  for (auto& [prefix, next_hops] : result) {
    std::ranges::sort(next_hops);
    const auto repeated = std::ranges::unique(next_hops);
    next_hops.erase(repeated.begin(), repeated.end());
  }
  routes_.clear();
  return result;
}

}  // namespace sekisho::cli
