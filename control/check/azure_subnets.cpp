// SPDX-License-Identifier: BSD-3-Clause
// Subnets of Azure's that take no route table, or not any: whose a table is, the file tells.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/text.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/config/addresses.hpp"

namespace sekisho::check {
namespace {

using route::NextHopType;

auto where(const AzureTable& table) -> std::string {
  return table.table ? table.table->name : place(table);
}

bool has_subnet(const AzureTable& table, std::string_view name) {
  return table.summary.subnets &&
         std::ranges::any_of(*table.summary.subnets, [&](const formats::AttachedSubnet& subnet) {
           return base::equal_without_case(subnet.name, name);
         });
}

auto find_gateway_subnet(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables) {
    if (!has_subnet(each, "GatewaySubnet"))
      continue;
    if (!each.summary.takes_bgp)
      result.push_back({where(each), "the table of GatewaySubnet has gateway route propagation off"});
    for (const auto prefix : {default_route, halves[0], halves[1]})
      if (const auto route = each.table ? exact(*each.table, prefix) : std::nullopt)
        result.push_back({place(facts, *each.table, *route),
                          fmt::format("the table of GatewaySubnet sends {} to {}", base::to_string(prefix),
                                      next_hop_of(*each.table, *route))});
  }
  return result;
}

auto find_tableless_subnet(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    for (const auto* name : {"RouteServerSubnet", "AzureBastionSubnet"})
      if (has_subnet(each, name))
        result.push_back({where(each), fmt::format("{} has a route table", name)});
  return result;
}

void find_in_management_subnet(const Facts& facts, const AzureTable& each, Offences& result) {
  if (each.summary.takes_bgp)
    result.push_back(
        {where(each), "the table of AzureFirewallManagementSubnet has gateway route propagation on"});
  for (const auto& route : each.table->routes->winners())
    if (route.prefix != default_route || route.type != NextHopType::internet)
      result.push_back({place(facts, *each.table, route),
                        fmt::format("the table of AzureFirewallManagementSubnet sends {} to {}",
                                    base::to_string(route.prefix), next_hop_of(*each.table, route))});
}

auto find_firewall_subnet(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables) {
    if (!each.table)
      continue;
    if (has_subnet(each, "AzureFirewallManagementSubnet"))
      find_in_management_subnet(facts, each, result);
    if (!has_subnet(each, "AzureFirewallSubnet"))
      continue;
    for (const auto prefix : {default_route, halves[0], halves[1]})
      if (const auto route = exact(*each.table, prefix); route && route->type != NextHopType::internet)
        result.push_back({place(facts, *each.table, *route),
                          fmt::format("the table of AzureFirewallSubnet sends {} to {}",
                                      base::to_string(prefix), next_hop_of(*each.table, *route))});
  }
  return result;
}

auto find_unattached(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    if (each.summary.subnets && each.summary.subnets->empty())
      result.push_back({where(each), "the route table is attached to no subnet"});
  return result;
}

// What a subnet's own hosts say to each other, by the table of that subnet.
void find_captured_subnet(const Facts& facts, const Table& table, base::Prefix own, const std::string& whose,
                          Offences& result) {
  const auto route = table.routes->lookup(own.address);
  if (route && route->prefix.covers(own) && is_network_of_a_vnet(route->prefix) && is_appliance(route->type))
    result.push_back(
        {place(facts, table, *route), fmt::format("{} sends what {} {} says to itself to {}", table.name,
                                                  whose, base::to_string(own), next_hop_of(table, *route))});
}

auto find_own_subnet_captured(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    if (each.table && each.summary.subnets)
      for (const auto& subnet : *each.summary.subnets)
        if (subnet.prefix)
          find_captured_subnet(facts, *each.table, *subnet.prefix, "subnet " + subnet.name, result);
  for (std::size_t port = 0; port < facts.subnets.size(); ++port)
    if (facts.subnets[port] && facts.addresses[port])
      for (const auto& own : *facts.addresses[port])
        find_captured_subnet(facts, facts.subnets[port]->table, config::subnet_of(own),
                             "the subnet of port " + facts.policy->config.ports[port].name, result);
  return result;
}

}  // namespace

const Rule gateway_subnet{
    "gateway-subnet", Severity::error,
    "Azure takes no default for GatewaySubnet, and its gateways lose what they learned from one another when "
    "route propagation is off there; the halves cut them off from their own control plane.",
    "Leave the default out, turn propagation on, and name the VNet's own prefixes alone.",
    find_gateway_subnet};

const Rule subnet_without_table{
    "subnet-takes-no-table", Severity::error,
    "Route Server and Bastion answer from their own subnets, and a route table there is refused or breaks "
    "them.",
    "Take the route table off that subnet.", find_tableless_subnet};

const Rule firewall_subnet{
    "firewall-subnet", Severity::warning,
    "Azure Firewall has to reach the Internet from AzureFirewallSubnet, unless it has a management NIC; "
    "AzureFirewallManagementSubnet takes 0.0.0.0/0 to the Internet alone, with propagation off.",
    "Route AzureFirewallSubnet's default to the Internet, or give the firewall a management NIC; leave other "
    "routes out of the management subnet's table.",
    find_firewall_subnet};

const Rule attached_nowhere{"attached-nowhere", Severity::note,
                            "A route table does something in the subnets that it is attached to alone.",
                            "Attach it, or remove it.", find_unattached};

const Rule own_subnet_captured{"own-subnet-captured", Severity::warning,
                               "A route for the VNet's prefix to an appliance takes what hosts of one subnet "
                               "say to each other there, too; "
                               "in the appliance's own subnet it goes round in circles.",
                               "Add a route for the subnet's own prefix with next hop VnetLocal.",
                               find_own_subnet_captured};

}  // namespace sekisho::check
