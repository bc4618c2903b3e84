// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"

namespace sekisho::check {
namespace {

// The members by which other zones reach this one's sources.
auto members_towards(const Facts& facts, const policy::ZonePolicy& zone) -> std::vector<std::uint32_t> {
  std::vector<std::uint32_t> result;
  for (const auto& other : facts.policy->zones) {
    if (&other == &zone)
      continue;
    for (const auto source : zone.sources) {
      const auto route = source.length == 0 ? std::nullopt : other.table.lookup(source.address);
      // A default is a way to anywhere.
      if (!route || route->prefix.length < shortest_network)
        continue;
      const auto& members = members_of(facts, facts.policy->names[route->next_hop]);
      result.insert(result.end(), members.begin(), members.end());
    }
  }
  return result;
}

auto find_sent_back(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    const auto* zone = zone_of(facts, table);
    if (zone == nullptr)
      continue;
    const auto back = members_towards(facts, *zone);
    for (const auto& route : table.routes->winners()) {
      // A shared router may well serve a network beside the zone; the Internet is not behind those who ask us for it.
      if (route.prefix.length >= shortest_network)
        continue;
      const auto& members = members_of(facts, next_hop_of(table, route));
      if (std::ranges::find_first_of(members, back) != members.end())
        result.push_back({place(facts, table, route),
                          fmt::format("{} sends {} to {}, by which other zones reach the zone itself",
                                      table.name, base::to_string(route.prefix), next_hop_of(table, route))});
    }
  }
  return result;
}

// The first of a zone's routes into its own sources by the only port that it has.
auto find_hairpin(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    const auto* zone = zone_of(facts, table);
    if (zone == nullptr || zone->ports.size() != 1)
      continue;
    const auto is_own_network = [&](const route::Route& route) {
      return route.prefix.length >= shortest_network &&
             std::ranges::any_of(zone->sources, [&](base::Prefix source) {
               return source.length >= shortest_network &&
                      (source.covers(route.prefix) || route.prefix.covers(source));
             });
    };
    for (const auto& route : table.routes->winners()) {
      if (!is_own_network(route))
        continue;
      const auto port = port_of(facts, next_hop_of(table, route));
      if (port && facts.policy->config.ports[*port].name == zone->ports[0]) {
        result.push_back({place(facts, table, route),
                          fmt::format("{} sends {}, where its own sources are, back out of port {}",
                                      table.name, base::to_string(route.prefix), zone->ports[0])});
        break;
      }
    }
  }
  return result;
}

}  // namespace

const Rule sent_back{"loop", Severity::warning,
                     "The gateway that brings a zone's traffic for the Internet has the default route from "
                     "this appliance: sent there, the "
                     "traffic comes back until its TTL is spent.",
                     "Name the firewall in [internet].via, or another next hop in the route.",
                     find_sent_back};

const Rule hairpin{"hairpin", Severity::note,
                   "What a zone sends to its own networks leaves by the port that it came in on. Between "
                   "spokes of a hub that is the way; if "
                   "those networks have a way of their own to each other, it is a detour or a loop.",
                   "Nothing, if the zone's networks are to meet here; else remove the route.", find_hairpin};

}  // namespace sekisho::check
