// SPDX-License-Identifier: BSD-3-Clause
#include <ranges>
#include <string>

#include "common/base/prefix.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

void add_live_zone(Json& entry, const std::string& name, const Live& live) {
  if (live.state) {
    for (const auto& table : live.state->tables()) {
      if (table.zone() == name) {
        entry["table"] = {{"routes", table.routes()},
                          {"extension_tables", table.extension_tables()},
                          {"extension_tables_limit", table.extension_tables_limit()},
                          {"memory_bytes", table.memory_bytes()}};
      }
    }
  }
  if (live.statistics) {
    for (const auto& zone : live.statistics->zones()) {
      if (zone.name() == name) {
        entry["traffic"] = counter_json(zone.counter());
      }
    }
  }
}

}  // namespace

Json show_zones(const policy::Policy& policy, const Live& live) {
  auto result = Json::array();
  for (const auto& zone : policy.zones) {
    Json entry{{"name", zone.name}, {"ports", zone.ports}};
    auto sources = Json::array();
    for (const auto source : zone.sources) {
      sources.push_back(base::to_string(source));
    }
    entry["sources"] = std::move(sources);
    for (const auto& configured : policy.config.zones) {
      if (configured.name == zone.name) {
        entry["internet"] = configured.internet;
        entry["via"] = configured.internet || !configured.via.empty() ? Json(policy.config.via_of(configured))
                                                                      : Json(nullptr);
        entry["follow_default"] = configured.follow_default;
        entry["connected"] = configured.connected;
      }
    }
    entry["routes"] = std::ranges::distance(zone.table.active());
    entry["duplicates"] = zone.table.duplicates();
    add_live_zone(entry, zone.name, live);
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace sekisho::serve
