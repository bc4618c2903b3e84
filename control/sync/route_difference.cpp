// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/route_difference.hpp"

#include <algorithm>
#include <utility>

#include "control/sync/kernel_routes.hpp"

namespace sekisho::sync {
namespace {

// Nothing to look at: the same routes, by names that one policy has from the other, and the same before them.
bool is_same(const policy::ZonePolicy& before, const View& before_view, const policy::ZonePolicy& after,
             const View& after_view) {
  return before.table.shares_with(after.table) &&
         std::ranges::equal(
             kernel_routes(before, before_view), kernel_routes(after, after_view), {},
             [](const KernelRoute& route) { return std::pair(route.prefix, route.next_hop); },
             [](const KernelRoute& route) { return std::pair(route.prefix, route.next_hop); });
}

}  // namespace

RouteDifference::RouteDifference(Side before, Side after) : before_(before), after_(after) {
  enter_zone();
}

void RouteDifference::enter_zone() {
  old_.reset();
  new_.reset();
  for (; zone_ != after_.policy.zones.size(); ++zone_) {
    const auto& zone = after_.policy.zones[zone_];
    const auto* old = before_.policy.zone(zone.name);
    if (old != nullptr && is_same(*old, before_.view, zone, after_.view)) {
      continue;
    }
    new_.emplace(after_.policy, zone, after_.view);
    if (old != nullptr) {
      old_.emplace(before_.policy, *old, before_.view);
    }
    return;
  }
}

std::optional<RouteChange> RouteDifference::next() {
  for (; new_; ++zone_, enter_zone()) {
    const std::string_view zone = after_.policy.zones[zone_].name;
    while (true) {
      const bool had = old_ && !old_->done();
      const bool has = !new_->done();
      if (!had && !has) {
        break;
      }
      const auto gone = had ? old_->front() : WireRoute{};
      const auto come = has ? new_->front() : WireRoute{};
      if (had && (!has || gone.prefix < come.prefix)) {
        old_->pop();
        return RouteChange{zone, gone.prefix, gone.next_hop, {}};
      }
      new_->pop();
      if (!had || come.prefix < gone.prefix) {
        return RouteChange{zone, come.prefix, {}, come.next_hop};
      }
      old_->pop();
      if (gone.next_hop != come.next_hop) {
        return RouteChange{zone, come.prefix, gone.next_hop, come.next_hop};
      }
    }
  }
  return std::nullopt;
}

}  // namespace sekisho::sync
