// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/preferred.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sekisho::formats {

void Preferred::add(std::uint64_t metric, std::uint16_t table, RouteCollector::Written route,
                    std::string path) {
  candidates_.push_back({metric, table, std::move(route), std::move(path)});
}

void Preferred::finish(RouteCollector& routes, std::string_view what) {
  std::map<std::pair<std::uint16_t, base::Prefix>, std::uint64_t> best;
  for (const auto& each : candidates_)
    if (each.route.in_force) {
      const auto [entry, added] = best.try_emplace({each.table, each.route.prefix}, each.metric);
      if (!added)
        entry->second = std::min(entry->second, each.metric);
    }
  for (auto& each : candidates_) {
    const auto opened = routes.open(each.table);
    if (each.route.in_force && best.at({each.table, each.route.prefix}) != each.metric) {
      each.route.in_force = false;
      routes.find(base::Severity::note, std::move(each.path),
                  fmt::format("{} of {} {} is not in force: another has a lower one",
                              base::to_string(each.route.prefix), what, each.metric),
                  each.route.line);
    }
    routes.add(std::move(each.route));
  }
  candidates_.clear();
}

}  // namespace sekisho::formats
