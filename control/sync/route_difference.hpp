// SPDX-License-Identifier: BSD-3-Clause
// Route by route, what separates the tables of one policy from those of another.
//
// To go through both tables is the simple way, and what a reload, learned routes, and another default or VNet route take; of 900,000 routes it costs
// a tenth of a second. A batch of overrides comes twenty times a second, and a table that was made of the other one knows where it
// differs (RouteTable::with): only there is looked then, and where the kernel has routes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

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
  [[nodiscard]] std::optional<RouteChange> next_of_all();
  void look_at(const std::vector<base::Prefix>& places, const policy::ZonePolicy& before,
               const policy::ZonePolicy& after);

  Side before_;
  Side after_;
  std::size_t zone_ = 0;  // of `after`
  // Of a zone that is gone through:
  std::optional<WireRoutes> old_;  // nothing: the zone is new
  std::optional<WireRoutes> new_;  // nothing: it is one of the others, or none is left
  // Of a zone of which it is known where to look, backwards:
  std::vector<RouteChange> found_;
};

}  // namespace sekisho::sync
