// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/preferred.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::formats {

void Preferred::add(std::uint64_t metric, std::uint16_t table, RouteCollector::Written route,
                    std::string path) {
  candidates_.push_back({metric, table, std::move(route), std::move(path)});
}

// The first takes the next hops of all: addresses, since nothing else can be several in one route.
void Preferred::share(RouteCollector& routes, std::string_view what,
                      const std::map<Key, const Candidate*>& best) {
  std::map<Key, std::vector<Candidate*>> groups;
  for (auto& each : candidates_)
    if (each.route.in_force && best.at({each.table, each.route.prefix})->metric == each.metric)
      groups[{each.table, each.route.prefix}].push_back(&each);
  for (const auto& [key, group] : groups) {
    auto& first = *group.front();
    const auto differs = [&](const Candidate* each) { return each->route.next_hop != first.route.next_hop; };
    if (std::ranges::none_of(group, differs))
      continue;
    NextHop all{.type = route::NextHopType::virtual_appliance_ecmp, .name = {}, .addresses = {}};
    bool are_addresses = true;
    for (const auto* each : group) {
      are_addresses = are_addresses && each->route.next_hop.type == route::NextHopType::virtual_appliance;
      for (const auto address : each->route.next_hop.addresses)
        if (std::ranges::find(all.addresses, address) == all.addresses.end())
          all.addresses.push_back(address);
    }
    const auto can_share = are_addresses && all.addresses.size() <= most_ecmp;
    for (auto* each : group)
      each->left_out = !can_share || each != &first;
    const auto opened = routes.open(first.table);
    if (can_share) {
      first.route.next_hop = std::move(all);
      routes.find(base::Severity::note, first.path,
                  fmt::format("{} routes to {} of {} {} are one, to the next hops of all", group.size(),
                              base::to_string(key.second), what, first.metric),
                  first.route.line);
      continue;
    }
    routes.find(
        base::Severity::error, first.path,
        fmt::format("{} routes to {} of {} {} are left out: packets are shared among their next hops, "
                    "which are not 2 to {} addresses",
                    group.size(), base::to_string(key.second), what, first.metric, most_ecmp),
        first.route.line);
  }
}

void Preferred::finish(RouteCollector& routes, std::string_view what, Equals equals) {
  std::map<Key, const Candidate*> best;
  for (const auto& each : candidates_)
    if (each.route.in_force) {
      const auto [entry, added] = best.try_emplace({each.table, each.route.prefix}, &each);
      if (!added && each.metric < entry->second->metric)
        entry->second = &each;
    }
  if (equals == Equals::share)
    share(routes, what, best);
  for (auto& each : candidates_) {
    if (each.left_out)
      continue;
    const auto opened = routes.open(each.table);
    const auto* other = each.route.in_force ? best.at({each.table, each.route.prefix}) : &each;
    if (other->metric < each.metric || (other != &each && equals == Equals::first)) {
      each.route.in_force = false;
      routes.find(
          base::Severity::note, std::move(each.path),
          fmt::format("{} of {} {} is not in force: another {}", base::to_string(each.route.prefix), what,
                      each.metric,
                      other->metric < each.metric ? "has a lower one" : "of the same stands before it"),
          each.route.line);
    }
    routes.add(std::move(each.route));
  }
  candidates_.clear();
}

}  // namespace sekisho::formats
