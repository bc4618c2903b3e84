// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/table_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace sekisho::writer {
namespace {

void count_routes(LiveZone& zone, const std::vector<fib::Route>& before,
                  const std::vector<fib::Route>& after) {
  for (const auto& route : before) {
    --zone.routes_by_next_hop[route.value];
  }
  for (const auto& route : after) {
    ++zone.routes_by_next_hop[route.value];
  }
}

}  // namespace

void TableChanges::compare() {
  std::vector<fib::Value> value_of_name{fib::no_route};
  for (const auto& name : target_.next_hop_names | std::views::drop(1)) {
    const auto known = live_.next_hop_names.find(name);
    value_of_name.push_back(known == live_.next_hop_names.end() ? fib::no_route
                                                                : value_of(known->second.index));
  }
  for (auto& [name, target] : target_.tables) {
    std::vector<fib::Route> routes;
    routes.reserve(target.routes.size());
    for (const auto& [prefix, next_hop] : std::exchange(target.routes, {})) {
      routes.push_back({prefix, value_of_name[value_of(next_hop)]});
    }
    const auto& table = *zones_.at(name).table;
    diffs_[name] = target.replace ? replace(table, routes) : change(table, routes);
  }
}

bool TableChanges::empty() const {
  return std::ranges::all_of(diffs_, [](const auto& diff) { return diff.second.empty(); });
}

auto TableChanges::prepare(const Renumbering& renumbering) -> Result {
  if (!renumbering.empty()) {
    for (const auto& [name, spec] : target_.configuration.zones) {
      renumber(*zones_.at(name).table, renumbering, diffs_[name]);
    }
  }
  for (auto& [name, diff] : diffs_) {
    if (live_.zones.contains(name)) {
      continue;
    }
    auto& zone = zones_.at(name);
    if (auto done = apply(live_, *zone.table, diff.changes); !done) {
      return tl::unexpected(fmt::format("zone {}: {}", name, done.error()));
    }
    count_routes(zone, diff.inverse, diff.changes);
  }
  return {};
}

auto TableChanges::publish() -> Result {
  for (const auto& [name, diff] : diffs_) {
    const auto zone = live_.zones.find(name);
    if (zone == live_.zones.end() || diff.empty()) {
      continue;
    }
    if (auto done = apply(live_, *zone->second.table, diff.changes); !done) {
      return tl::unexpected(fmt::format("zone {}: {}", name, done.error()));
    }
    count_routes(zone->second, diff.inverse, diff.changes);
    undo_.add([this, &live = zone->second, &changed = diff] {
      take_back(live_, *live.table, changed);
      count_routes(live, changed.changes, changed.inverse);
    });
  }
  return {};
}

void TableChanges::count(ipc::Committed& committed) const {
  for (const auto& [name, diff] : diffs_) {
    committed.set_routes_added(committed.routes_added() + diff.added);
    committed.set_routes_changed(committed.routes_changed() + diff.changed);
    committed.set_routes_removed(committed.routes_removed() + diff.removed);
  }
}

}  // namespace sekisho::writer
