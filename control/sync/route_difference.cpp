// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/route_difference.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>

#include "control/sync/kernel_routes.hpp"

namespace sekisho::sync {
namespace {

// The only prefixes of which the policy's routes can differ. Null: it may be any.
const std::vector<base::Prefix>* places_to_look(const policy::ZonePolicy& before,
                                                const policy::ZonePolicy& after) {
  static const std::vector<base::Prefix> nowhere;
  return before.table.shares_with(after.table) ? &nowhere : after.table.changed_since(before.table);
}

auto sorted(std::span<const base::Prefix> places, std::span<const KernelRoute> old,
            std::span<const KernelRoute> now) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result(places.begin(), places.end());
  std::ranges::transform(old, std::back_inserter(result), &KernelRoute::prefix);
  std::ranges::transform(now, std::back_inserter(result), &KernelRoute::prefix);
  std::ranges::sort(result);
  const auto same = std::ranges::unique(result);
  result.erase(same.begin(), same.end());
  return result;
}

}  // namespace

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
  const auto* old = before_.policy.zone(zone.name);
  if (const auto* places = old != nullptr ? places_to_look(*old, zone) : nullptr) {
    look_at(*places, *old, zone);
    return;
  }
  new_.emplace(after_.policy, zone, after_.view);
  if (old != nullptr) {
    old_.emplace(before_.policy, *old, before_.view);
  }
}

void RouteDifference::look_at(const std::vector<base::Prefix>& places, const policy::ZonePolicy& before,
                              const policy::ZonePolicy& after) {
  const auto old = kernel_routes(before, before_.view);
  const auto now = kernel_routes(after, after_.view);
  for (const auto prefix : sorted(places, old, now) | std::views::reverse) {
    const auto gone = next_hop_at(prefix, before_.policy, before, old);
    const auto come = next_hop_at(prefix, after_.policy, after, now);
    if (gone != come) {
      found_.push_back({after.name, prefix, gone, come});
    }
  }
}

std::optional<RouteChange> RouteDifference::next() {
  for (; zone_ != after_.policy.zones.size(); ++zone_, enter_zone()) {
    if (new_) {
      if (const auto change = next_of_all()) {
        return change;
      }
    } else if (!found_.empty()) {
      const auto change = found_.back();
      found_.pop_back();
      return change;
    }
  }
  return std::nullopt;
}

// Nothing: that was all of this zone.
std::optional<RouteChange> RouteDifference::next_of_all() {
  const std::string_view zone = after_.policy.zones[zone_].name;
  while (true) {
    const bool had = old_ && !old_->done();
    const bool has = !new_->done();
    if (!had && !has) {
      return std::nullopt;
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

}  // namespace sekisho::sync
