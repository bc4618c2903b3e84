// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/transaction.hpp"

#include <utility>

#include "common/base/prefix.hpp"
#include "control/sync/objects.hpp"
#include "control/sync/route_difference.hpp"
#include "control/sync/route_writer.hpp"
#include "control/sync/wire_routes.hpp"

namespace sekisho::sync {
namespace {

// A small change is one request, not two.
constexpr std::size_t small = std::size_t{64} << 10;

void write(RouteWriter& writer, base::Prefix prefix, std::string_view next_hop) {
  if (next_hop.empty()) {
    writer.withdraw(prefix);
  } else {
    writer.add(prefix, next_hop);
  }
}

void write_difference(RouteWriter& writer, RouteDifference difference) {
  std::string_view zone;
  while (const auto change = difference.next()) {
    if (change->zone != std::exchange(zone, change->zone)) {
      writer.zone(zone);
    }
    write(writer, change->prefix, change->after);
  }
}

// A link or a neighbour of a next hop changes no route.
bool has_same_routes(const View& before, const View& after) {
  return before.unicast == after.unicast && before.connected == after.connected &&
         before.hosts == after.hosts;
}

}  // namespace

auto full(const policy::Policy& policy, const View& view) -> std::vector<ipc::Change> {
  std::vector<ipc::Change> changes{objects(policy, view)};
  RouteWriter writer(changes);
  for (const auto& zone : policy.zones) {
    writer.zone(zone.name);
    for (WireRoutes routes(policy, zone, view); !routes.done(); routes.pop()) {
      const auto route = routes.front();
      writer.add(route.prefix, route.next_hop);
    }
  }
  return changes;
}

auto incremental(const policy::Policy& policy, const View& before, const View& after)
    -> std::vector<ipc::Change> {
  return between(policy, before, policy, after);
}

auto between(const policy::Policy& before, const View& before_view, const policy::Policy& after,
             const View& after_view) -> std::vector<ipc::Change> {
  std::vector<ipc::Change> changes{
      object_difference(objects(before, before_view), objects(after, after_view))};
  RouteWriter writer(changes);
  if (&before != &after || !has_same_routes(before_view, after_view)) {
    write_difference(writer, {{before, before_view}, {after, after_view}});
  }
  if (changes.size() == 2 && changes[0].ByteSizeLong() + changes[1].ByteSizeLong() < small) {
    changes[0].MergeFrom(changes[1]);
    changes.pop_back();
  }
  if (changes.front().ByteSizeLong() == 0) {
    changes.erase(changes.begin());
  }
  return changes;
}

}  // namespace sekisho::sync
