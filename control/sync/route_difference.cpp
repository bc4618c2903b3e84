#include "control/sync/route_difference.hpp"

namespace sekisho::sync {

RouteDifference::RouteDifference(Side before, Side after) : before_(before), after_(after) {
  enter_zone();
}

void RouteDifference::enter_zone() {
  old_.reset();
  new_.reset();
  if (zone_ == after_.policy.zones.size()) {
    return;
  }
  const auto& zone = after_.policy.zones[zone_];
  new_.emplace(after_.policy, zone, after_.view);
  if (const auto* old = before_.policy.zone(zone.name)) {
    old_.emplace(before_.policy, *old, before_.view);
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
