// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"

namespace sekisho::check {
namespace {

// A pair of addresses in two zones, and what each zone's table does with the other's: a case in point, never a sample that
// might not occur.
struct Pair {
  const policy::ZonePolicy& from;
  const policy::ZonePolicy& to;
  base::Prefix source;
  base::Prefix destination;
  const route::Route& there;
  const std::optional<route::Route>& back;
};

// The zone of all that no other claims is no end of a flow between networks.
bool is_network(const policy::ZonePolicy& zone) {
  return std::ranges::all_of(zone.sources,
                             [](base::Prefix source) { return source.length >= shortest_network; });
}

// Where some zone's default or halves go: [internet].via, and what zones have instead.
auto firewalls(const Facts& facts) -> std::set<std::string_view> {
  const auto& config = facts.policy->config;
  std::set<std::string_view> result;
  if (config.internet)
    result.insert(config.internet->via);
  for (const auto& zone : config.zones)
    if (!zone.via.empty())
      result.insert(zone.via);
  return result;
}

bool is_firewall(const Facts& facts, std::uint32_t address) {
  return std::ranges::any_of(firewalls(facts), [&](std::string_view next_hop) {
    return std::ranges::binary_search(members_of(facts, next_hop), address);
  });
}

// The first address of a source stands for it, if it is the zone's and not the firewall's.
bool is_witness(const Facts& facts, std::size_t zone, base::Prefix source) {
  return zone_of_source(facts, source.address) == zone && !is_firewall(facts, source.address);
}

// Visits pairs of one zone with another that it has a route to, until `visit` says that it has seen enough of the two.
void for_each_pair(const Facts& facts, const std::function<bool(const Pair&)>& visit) {
  const auto& zones = facts.policy->zones;
  const auto visit_zones = [&](std::size_t from, std::size_t to) {
    for (const auto source : zones[from].sources) {
      for (const auto destination : zones[to].sources) {
        if (!is_witness(facts, from, source) || !is_witness(facts, to, destination))
          continue;
        const auto there = zones[from].table.lookup(destination.address);
        const auto back = zones[to].table.lookup(source.address);
        if (there && visit({zones[from], zones[to], source, destination, *there, back}))
          return;
      }
    }
  };
  for (std::size_t from = 0; from < zones.size(); ++from)
    for (std::size_t to = 0; to < zones.size(); ++to)
      if (from != to && is_network(zones[from]) && is_network(zones[to]))
        visit_zones(from, to);
}

bool drops(const Facts& facts, const std::optional<route::Route>& route) {
  return !route || facts.policy->names[route->next_hop] == policy::none;
}

auto find_asymmetric(const Facts& facts) -> Offences {
  Offences result;
  if (!facts.policy->config.internet)
    return result;
  const auto& names = facts.policy->names;
  const auto through = firewalls(facts);
  for_each_pair(facts, [&](const Pair& pair) {
    const auto& firewall = names[pair.there.next_hop];
    if (!through.contains(firewall) || drops(facts, pair.back) || names[pair.back->next_hop] == firewall)
      return false;
    result.push_back(
        {place(facts, zone_table(facts, pair.to), *pair.back),
         fmt::format("zone {} sends {} to {} by {}, and zone {} sends the replies by {}", pair.from.name,
                     base::to_string(pair.source), base::to_string(pair.destination), firewall, pair.to.name,
                     names[pair.back->next_hop])});
    return true;
  });
  return result;
}

bool learns_routes(const Facts& facts, const policy::ZonePolicy& zone) {
  const auto& zones = facts.policy->config.zones;
  const auto found = std::ranges::find(zones, zone.name, &config::Zone::name);
  return found != zones.end() && found->learned_routes;
}

auto find_no_way_back(const Facts& facts) -> Offences {
  Offences result;
  for_each_pair(facts, [&](const Pair& pair) {
    // What is learned is not known here, and may be the way.
    if (drops(facts, pair.there) || !drops(facts, pair.back) || learns_routes(facts, pair.to))
      return false;
    result.push_back(
        {pair.back ? place(facts, zone_table(facts, pair.to), *pair.back) : place(facts, 0),
         fmt::format("zone {} has a way from {} to {}, and zone {} drops the replies", pair.from.name,
                     base::to_string(pair.source), base::to_string(pair.destination), pair.to.name)});
    return true;
  });
  return result;
}

}  // namespace

const Rule asymmetric{"asymmetric", Severity::warning,
                      "A stateful firewall that sees one direction of a connection only drops it.",
                      "Send both directions by the firewall, or neither.", find_asymmetric};

const Rule no_way_back{"no-way-back", Severity::warning,
                       "A zone's table decides about replies, too: without a route back nothing answers.",
                       "Give the zone that answers a route to the one that asks.", find_no_way_back};

}  // namespace sekisho::check
