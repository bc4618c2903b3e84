#include "control/sync/transaction.hpp"

#include <utility>

#include "control/sync/objects.hpp"
#include "control/sync/route_difference.hpp"
#include "control/sync/route_writer.hpp"
#include "control/sync/wire_routes.hpp"

namespace sekisho::sync {
namespace {

// A small change is one request, not two.
constexpr std::size_t small = std::size_t{64} << 10;

}  // namespace

auto full(const policy::Policy& policy, const View& view) -> std::vector<api::Change> {
  std::vector<api::Change> changes{objects(policy, view)};
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
    -> std::vector<api::Change> {
  return between(policy, before, policy, after);
}

auto between(const policy::Policy& before, const View& before_view, const policy::Policy& after,
             const View& after_view) -> std::vector<api::Change> {
  std::vector<api::Change> changes{
      object_difference(objects(before, before_view), objects(after, after_view))};
  // A link or a neighbour changes no route; then there is no need to look at 900,000 of them.
  if (&before != &after || before_view.unicast != after_view.unicast) {
    RouteWriter writer(changes);
    std::string_view zone;
    RouteDifference difference({before, before_view}, {after, after_view});
    while (const auto change = difference.next()) {
      if (change->zone != std::exchange(zone, change->zone)) {
        writer.zone(zone);
      }
      if (change->after.empty()) {
        writer.withdraw(change->prefix);
      } else {
        writer.add(change->prefix, change->after);
      }
    }
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
