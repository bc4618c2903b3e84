// SPDX-License-Identifier: BSD-3-Clause
// What Azure's fabric makes of what the appliance forwards: it routes by destination, with the routes of the sending NIC's
// subnet; the next hop's address that the appliance chose does not matter.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"
#include "control/config/addresses.hpp"

namespace sekisho::check {
namespace {

using route::NextHopType;

enum class Fate { as_meant, own, elsewhere };

// The subnet's router, its first host address: whoever names it as a next hop leaves the choice to the fabric.
bool is_fabric(const Facts& facts, std::size_t port, const std::vector<std::uint32_t>& members) {
  return std::ranges::all_of(members, [&](std::uint32_t member) {
    return std::ranges::any_of(*facts.addresses[port], [&](const config::InterfaceAddress& own) {
      return config::subnet_of(own).address + 1 == member;
    });
  });
}

auto fate_at_appliances(const Facts& facts, const std::vector<std::uint32_t>& addresses,
                        const std::vector<std::uint32_t>& members) -> Fate {
  if (std::ranges::any_of(addresses, [&](std::uint32_t address) { return is_own(facts, address); }))
    return Fate::own;
  const bool meant = std::ranges::all_of(
      addresses, [&](std::uint32_t address) { return std::ranges::binary_search(members, address); });
  return meant ? Fate::as_meant : Fate::elsewhere;
}

auto fate(const Facts& facts, std::size_t port, const std::string& meant, base::Prefix destination,
          const formats::NextHop& subnets) -> Fate {
  const auto& members = members_of(facts, meant);
  const bool leaves = meant == policy::leave;
  if (!subnets.addresses.empty()) {
    const auto at = fate_at_appliances(facts, subnets.addresses, members);
    return at == Fate::elsewhere && !leaves && is_fabric(facts, port, members) ? Fate::as_meant : at;
  }
  if (!leaves && is_fabric(facts, port, members))
    return Fate::as_meant;
  if (leaves)
    return subnets.type == NextHopType::internet ? Fate::as_meant : Fate::elsewhere;
  // Networks of a VNet or behind a gateway may lie behind the next hop that was meant; the Internet does not.
  const bool is_network = destination.length >= shortest_network;
  return is_network && subnets.type != NextHopType::internet && subnets.type != NextHopType::none
             ? Fate::as_meant
             : Fate::elsewhere;
}

// By which port a zone's route leaves; nullopt: by none, by several, or it is not known.
auto port_of_route(const Facts& facts, const std::string& next_hop) -> std::optional<std::size_t> {
  const auto& config = facts.policy->config;
  if (next_hop != policy::leave)
    return port_of(facts, next_hop);
  if (!config.internet || !config.internet->exit)
    return std::nullopt;
  const auto found = std::ranges::find(config.ports, *config.internet->exit, &config::Port::name);
  return found - config.ports.begin();
}

// Routes that share a zone, a next hop and the subnet's route that they meet are told of as one.
struct Group {
  base::Prefix first;
  std::size_t count = 0;
};

auto find_with_fate(const Facts& facts, Fate wanted) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    if (table.holder != Table::Holder::zone)
      continue;
    std::map<route::NameId, std::optional<std::size_t>> ports;
    std::map<std::tuple<std::size_t, route::NameId, base::Prefix>, Group> groups;
    for (const auto& route : table.routes->winners()) {
      const auto known = ports.try_emplace(route.next_hop);
      auto& port = known.first->second;
      if (known.second)
        port = port_of_route(facts, next_hop_of(table, route));
      if (!port || !facts.subnets[*port])
        continue;
      const auto& subnet = facts.subnets[*port]->table;
      const auto met = subnet.routes->lookup(route.prefix.address);
      // Where a file's routes have none, or for a network only a default, Azure's System routes or learned ones decide,
      // which no file tells.
      const bool is_network =
          route.prefix.length >= shortest_network && next_hop_of(table, route) != policy::leave;
      if (!met || (is_network && met->prefix.length < shortest_network))
        continue;
      const auto next_hop = formats::parse_next_hop(next_hop_of(subnet, *met));
      if (next_hop && fate(facts, *port, next_hop_of(table, route), route.prefix, *next_hop) == wanted) {
        auto& group = groups[{*port, route.next_hop, met->prefix}];
        if (group.count++ == 0)
          group.first = route.prefix;
      }
    }
    for (const auto& [key, group] : groups) {
      const auto& [port, next_hop, met] = key;
      const auto& subnet = facts.subnets[port]->table;
      const auto winner = exact(subnet, met);
      result.push_back(
          {place(facts, subnet, *winner),
           fmt::format("{} means {} for {}{}, and the subnet of port {} sends {} to {}{}", table.name,
                       (*table.names)[next_hop], base::to_string(group.first),
                       group.count == 1 ? std::string{} : fmt::format(" and {} more", group.count - 1),
                       facts.policy->config.ports[port].name, base::to_string(met),
                       next_hop_of(subnet, *winner),
                       wanted == Fate::own ? ", which is this appliance" : "")});
    }
  }
  return result;
}

auto find_subnet_loop(const Facts& facts) -> Offences {
  return find_with_fate(facts, Fate::own);
}

auto find_subnet_elsewhere(const Facts& facts) -> Offences {
  return find_with_fate(facts, Fate::elsewhere);
}

auto find_gateway_of_expressroute(const Facts& facts) -> Offences {
  Offences result;
  if (facts.gateway != config::Gateway::expressroute)
    return result;
  for (const auto& table : facts.tables) {
    if (table.holder != Table::Holder::file)
      continue;
    for (const auto& route : table.routes->winners())
      if (route::is_user(route.origin) && route.type == NextHopType::virtual_network_gateway)
        result.push_back(
            {place(facts, table, route),
             fmt::format("{} goes to VirtualNetworkGateway, and the gateway is said to be ExpressRoute's",
                         base::to_string(route.prefix))});
  }
  return result;
}

}  // namespace

const Rule subnet_loop{
    "subnet-loop", Severity::error,
    "The fabric routes what the appliance sends by the route table of the sending NIC's subnet; one that "
    "names the appliance "
    "itself brings the packet back until its TTL is spent.",
    "Give the port a subnet with a route table of its own that names what is behind the port.",
    find_subnet_loop};

const Rule subnet_elsewhere{
    "subnet-elsewhere", Severity::warning,
    "The fabric routes what the appliance sends by destination, with the route table of the sending NIC's "
    "subnet; the next hop "
    "that the appliance chose does not matter.",
    "Give that route table the same routes, or the next hop a port in a subnet that has them.",
    find_subnet_elsewhere};

const Rule gateway_of_expressroute{"udr-to-expressroute", Severity::error,
                                   "A user route's next hop VirtualNetworkGateway is a VPN gateway; an "
                                   "ExpressRoute gateway is reached by BGP routes only.",
                                   "Remove the route and leave gateway route propagation on for that prefix.",
                                   find_gateway_of_expressroute};

}  // namespace sekisho::check
