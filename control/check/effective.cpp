// SPDX-License-Identifier: BSD-3-Clause
// What Azure's effective routes show, and a route table alone does not: System routes beside it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"

namespace sekisho::check {
namespace {

using route::NextHopType;

bool is_endpoint(NextHopType type) {
  return type == NextHopType::interface_endpoint || type == NextHopType::virtual_network_service_endpoint;
}

// The route to an appliance that a longer one of Azure's goes past.
auto passed(const Table& table, const route::Route& route) -> std::optional<route::Route> {
  for (const auto& shorter : table.routes->covering(route.prefix.address))
    if (shorter.prefix.length < route.prefix.length && route::is_user(shorter.origin))
      return is_appliance(shorter.type) || shorter.type == NextHopType::named ? std::optional{shorter}
                                                                              : std::nullopt;
  return std::nullopt;
}

// One offence for each route that is gone past.
template <typename Is>
auto find_past(const Facts& facts, bool of_networks, const Is& is) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    std::map<base::Prefix, std::pair<route::Route, std::size_t>> groups;  // by the route gone past
    for (const auto& route : table.routes->winners())
      if (is(route.type))
        if (const auto past = passed(table, route);
            past && (!of_networks || past->prefix.length >= shortest_network))
          ++groups.try_emplace(past->prefix, route, 0).first->second.second;
    for (const auto& [prefix, group] : groups) {
      const auto& [first, count] = group;
      result.push_back({place(facts, table, first),
                        fmt::format("in {} {}{} goes past the route of {} to {}: it is {}", table.name,
                                    base::to_string(first.prefix),
                                    count == 1 ? std::string{} : fmt::format(" and {} more", count - 1),
                                    base::to_string(prefix), next_hop_of(table, *exact(table, prefix)),
                                    route::to_string(first.type))});
    }
  }
  return result;
}

auto find_peering_past(const Facts& facts) -> Offences {
  return find_past(facts, true, is_peering);
}
auto find_endpoint_past(const Facts& facts) -> Offences {
  return find_past(facts, false, is_endpoint);
}

// Azure forwards to an appliance in the VNet or a peered one.
bool reaches(const Table& table, std::uint32_t address) {
  const auto route = table.routes->lookup(address);
  if (!route)
    return false;
  if (std::ranges::find(table.overridden, route->prefix) != table.overridden.end())
    return true;
  if (is_appliance(route->type)) {  // not every file has the route that is overridden
    const auto own = addresses_of(table, *route);
    return std::ranges::find(own, address) != own.end();
  }
  return is_of_vnets(route->type) || route->type == NextHopType::connected_group;
}

auto find_unreachable(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    if (!table.is_effective)
      continue;
    for (const auto& route : table.routes->winners()) {
      if (!route::is_user(route.origin) || !is_appliance(route.type))
        continue;
      for (const auto address : addresses_of(table, route))
        if (!reaches(table, address)) {
          const auto way = table.routes->lookup(address);
          result.push_back({place(facts, table, route),
                            fmt::format("the next hop of {}, {}, is {}", base::to_string(route.prefix),
                                        base::address_to_string(address),
                                        way ? fmt::format("behind {} of {}", next_hop_of(table, *way),
                                                          base::to_string(way->prefix))
                                            : std::string{"behind no route"})});
        }
    }
  }
  return result;
}

auto networks_of(const Table& table) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result;
  for (const auto& route : table.routes->winners())
    if (route.type == NextHopType::vnet_local)
      result.push_back(route.prefix);
  return result;
}

bool overlap(const std::vector<base::Prefix>& some, const std::vector<base::Prefix>& others) {
  return std::ranges::any_of(some, [&](base::Prefix one) {
    return std::ranges::any_of(others,
                               [&](base::Prefix other) { return one.covers(other) || other.covers(one); });
  });
}

// One direction by an appliance, the other not by the same.
void find_asymmetric_pair(const Table& one, const Table& other, Offences& result) {
  const auto near = networks_of(one);
  const auto far = networks_of(other);
  if (near.empty() || far.empty() || overlap(near, far))
    return;
  const auto there = one.routes->lookup(far.front().address);
  const auto back = other.routes->lookup(near.front().address);
  if (!there || !back || (!is_appliance(there->type) && !is_appliance(back->type)) ||
      next_hop_of(one, *there) == next_hop_of(other, *back))
    return;
  result.push_back(
      {one.name, fmt::format("what goes to {} by {} comes back by {} ({})", base::to_string(far.front()),
                             next_hop_of(one, *there), next_hop_of(other, *back), other.name)});
}

auto find_asymmetric_tables(const Facts& facts) -> Offences {
  Offences result;
  for (std::size_t i = 0; i < facts.tables.size(); ++i)
    for (std::size_t j = i + 1; j < facts.tables.size(); ++j)
      if (facts.tables[i].is_effective && facts.tables[j].is_effective)
        find_asymmetric_pair(facts.tables[i], facts.tables[j], result);
  return result;
}

}  // namespace

const Rule peering_past_appliance{"peering-past-appliance", Severity::warning,
                                  "A route for a whole range of private space loses to the longer System "
                                  "route of a peered VNet: what is for "
                                  "that VNet never meets the appliance.",
                                  "Add a route for each prefix of the peered VNets to the appliance.",
                                  find_peering_past};

const Rule endpoint_past_appliance{"endpoint-past-appliance", Severity::note,
                                   "A private endpoint's /32 and a service endpoint's prefixes are longer "
                                   "than any default: what is for them "
                                   "goes past the appliance.",
                                   "Nothing, if that is meant. For private endpoints, turn network policies "
                                   "on and add a route of the VNet's "
                                   "prefix or longer; for service endpoints, use private ones.",
                                   find_endpoint_past};

const Rule next_hop_unreachable{"next-hop-unreachable", Severity::warning,
                                "Azure forwards to an appliance in the VNet or in one that is peered with "
                                "it, and drops what has a next hop "
                                "elsewhere: behind a gateway, another appliance or nothing.",
                                "Peer the VNet with the appliance's, or name an appliance that is near.",
                                find_unreachable};

const Rule tables_asymmetric{"tables-asymmetric", Severity::warning,
                             "A stateful firewall that sees one direction of a connection alone drops it.",
                             "Route both directions to the same appliance.", find_asymmetric_tables};

}  // namespace sekisho::check
