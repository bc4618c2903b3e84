// SPDX-License-Identifier: BSD-3-Clause
// Routes that BGP told, from several lines, rows or peers: one a prefix, with all of its next hops.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::cli {

class BgpRoutes {
 public:
  using Route = std::pair<base::Prefix, std::vector<std::uint32_t>>;

  void add(base::Prefix prefix, const std::vector<std::uint32_t>& next_hops) {
    routes_.emplace_back(prefix, next_hops);
  }
  // Sorted by prefix; next hops sorted and distinct, for their order says nothing.
  [[nodiscard]] auto merge() && -> std::vector<Route>;

 private:
  std::vector<Route> routes_;
};

}  // namespace sekisho::cli
