// SPDX-License-Identifier: BSD-3-Clause
// Route by route, what separates the tables of one policy from those of another.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "control/sync/wire_routes.hpp"

namespace sekisho::sync {

struct RouteChange {
  std::string_view zone;
  base::Prefix prefix;
  std::string_view before;  // next hop, as the dataplane calls it; empty: the route is added
  std::string_view after;   // empty: it is withdrawn
};

// By zone as `after` has them, then by prefix. A zone that only `before` has takes its table along: its routes are not
// named. Both sides must outlive it and what it gives.
class RouteDifference {
 public:
  struct Side {
    const policy::Policy& policy;
    const View& view;
  };
  RouteDifference(Side before, Side after);

  [[nodiscard]] std::optional<RouteChange> next();  // nothing: that was all

 private:
  void enter_zone();

  Side before_;
  Side after_;
  std::size_t zone_ = 0;
  std::optional<WireRoutes> old_;  // nothing: the zone is new
  std::optional<WireRoutes> new_;  // nothing: no zone is left
};

}  // namespace sekisho::sync
