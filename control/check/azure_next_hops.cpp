// SPDX-License-Identifier: BSD-3-Clause
// Next hops that Azure takes, and that do something else than was meant.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/text.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/config/addresses.hpp"
#include "control/policy/policy.hpp"
#include "control/policy/system_routes.hpp"

namespace sekisho::check {
namespace {

using route::NextHopType;

// Each user route of Azure's tables that leads to an appliance, with that one's addresses.
template <typename Visit>
void for_each_appliance(const Facts& facts, const Visit& visit) {
  for (const auto& each : facts.azure_tables)
    if (each.table)
      for (const auto& route : each.table->routes->winners())
        if (is_appliance(route.type))
          for (const auto address : addresses_of(*each.table, route))
            visit(each, route, address);
}

bool is_private(std::uint32_t address) {
  return std::ranges::any_of(policy::private_space,
                             [&](base::Prefix prefix) { return prefix.covers(address); });
}

constexpr base::Prefix link_local{169U << 24 | 254U << 16, 16};

bool is_hosts(std::uint32_t address) {
  return link_local.covers(address) || std::ranges::any_of(policy::host_addresses, [&](base::Prefix prefix) {
           return prefix.covers(address);
         });
}

// Those that the table or a port is in.
auto known_subnets(const Facts& facts, const AzureTable& table) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result;
  if (table.summary.subnets)
    for (const auto& subnet : *table.summary.subnets)
      if (subnet.prefix)
        result.push_back(*subnet.prefix);
  for (const auto& addresses : facts.addresses)
    if (addresses)
      std::ranges::transform(*addresses, std::back_inserter(result), config::subnet_of);
  return result;
}

auto find_public(const Facts& facts) -> Offences {
  Offences result;
  for_each_appliance(facts, [&](const AzureTable& each, const route::Route& route, std::uint32_t address) {
    const auto is_a_subnets = std::ranges::any_of(
        known_subnets(facts, each), [&](base::Prefix subnet) { return subnet.covers(address); });
    if (!is_private(address) && !is_hosts(address) && !is_a_subnets)
      result.push_back({place(facts, *each.table, route),
                        fmt::format("the next hop of {} is {}, outside private space",
                                    base::to_string(route.prefix), base::address_to_string(address))});
  });
  return result;
}

// Azure has no smaller subnets; a port's longer prefix is a host's own.
constexpr std::uint8_t longest_subnet = 29;

// The subnet whose first host address this is.
auto router_of(const Facts& facts, const AzureTable& table, std::uint32_t address)
    -> std::optional<base::Prefix> {
  for (const auto subnet : known_subnets(facts, table))
    if (subnet.length <= longest_subnet && subnet.address + 1 == address)
      return subnet;
  return std::nullopt;
}

auto find_azures_own(const Facts& facts) -> Offences {
  Offences result;
  for_each_appliance(facts, [&](const AzureTable& each, const route::Route& route, std::uint32_t address) {
    const auto router = router_of(facts, each, address);
    if (!router && !is_hosts(address))
      return;
    const auto what = router ? fmt::format("the router of subnet {}", base::to_string(*router))
                             : std::string{"an address of the Azure host's"};
    result.push_back({place(facts, *each.table, route),
                      fmt::format("the next hop of {} is {}, {}", base::to_string(route.prefix),
                                  base::address_to_string(address), what)});
  });
  return result;
}

auto find_in_its_prefix(const Facts& facts) -> Offences {
  Offences result;
  for_each_appliance(facts, [&](const AzureTable& each, const route::Route& route, std::uint32_t address) {
    const auto winners = each.table->routes->winners();
    const bool has_own = std::ranges::any_of(winners, [&](const route::Route& other) {
      return other.type == NextHopType::vnet_local && route.prefix.covers(other.prefix);
    });
    if (is_network_of_a_vnet(route.prefix) && route.prefix.covers(address) && !has_own)
      result.push_back({place(facts, *each.table, route),
                        fmt::format("{} goes to {}, which is in it, and no route in it is VnetLocal",
                                    base::to_string(route.prefix), base::address_to_string(address))});
  });
  return result;
}

auto find_default_dropped(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables)
    if (const auto route = each.table ? exact(*each.table, default_route) : std::nullopt;
        route && route->type == NextHopType::none)
      result.push_back({place(facts, *each.table, *route), "0.0.0.0/0 goes to None"});
  return result;
}

// Azure Firewall has public addresses of its own.
bool is_firewalls(const AzureTable& table) {
  const auto& subnets = table.summary.subnets;
  return subnets && !subnets->empty() &&
         std::ranges::all_of(*subnets, [](const formats::AttachedSubnet& subnet) {
           return base::equal_without_case(subnet.name, "AzureFirewallSubnet") ||
                  base::equal_without_case(subnet.name, "AzureFirewallManagementSubnet");
         });
}

auto find_outbound(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& each : facts.azure_tables) {
    if (!each.table || is_firewalls(each))
      continue;
    const auto winners = each.table->routes->winners();
    const auto first = std::ranges::find(winners, NextHopType::internet, &route::Route::type);
    if (first != winners.end())
      result.push_back({place(facts, *each.table, *first),
                        fmt::format("{} goes to the Internet by the subnet's own outbound",
                                    base::to_string(first->prefix))});
  }
  return result;
}

}  // namespace

const Rule next_hop_public{
    "next-hop-public", Severity::note,
    "The address is outside private space and good only if a VNet, this one or a peered one, has it: Azure "
    "forwards to no public address of an appliance, and says nothing.",
    "Write the appliance's private address, or that of its internal load balancer; if a VNet has the "
    "address, "
    "nothing.",
    find_public};

const Rule next_hop_of_azure{
    "next-hop-of-azure", Severity::error,
    "168.63.129.16, 169.254.0.0/16 and a subnet's first address are Azure's own: nothing there forwards.",
    "Write the appliance's address; for what the subnet's router does by itself, a next hop of Azure's, "
    "VnetLocal say.",
    find_azures_own};

const Rule vnet_through_appliance{
    "vnet-through-appliance", Severity::note,
    "A route for a prefix of the VNet's to an appliance in that prefix takes what a subnet's hosts say to "
    "each "
    "other, too, where the table's subnet is one of that VNet; in the appliance's own subnet it goes round "
    "in "
    "circles.",
    "Add a route for the subnet's own prefix with next hop VnetLocal, unless the subnet is in another VNet.",
    find_in_its_prefix};

const Rule default_dropped{
    "default-dropped", Severity::warning,
    "What no other route names is dropped: Windows activation, updates, Azure Monitor's and Backup's agents "
    "with it.",
    "Send the default to a firewall, or except what the hosts need.", find_default_dropped};

const Rule internet_needs_outbound{
    "internet-needs-outbound", Severity::note,
    "Next hop Internet leaves by the subnet's own outbound. A private subnet, as new ones are since API "
    "2025-07-01, has none of its own.",
    "Give the subnet a NAT gateway, its hosts public addresses, or a load balancer with an outbound rule.",
    find_outbound};

}  // namespace sekisho::check
