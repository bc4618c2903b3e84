// SPDX-License-Identifier: BSD-3-Clause
// Azure's own tables, checked without a configuration.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {
namespace {

// A table that is attached to this subnet; each route is "PREFIX TYPE [ADDRESS]".
auto attached(std::string_view subnet, const std::vector<test::UdrRoute>& routes,
              bool propagation_off = false, std::string_view prefix = "") -> Files {
  auto text = udr({.propagation_off = propagation_off, .routes = routes});
  text.insert(text.size() - 1,
              fmt::format(R"(, "subnets": [{{"id": "/subscriptions/s/virtualNetworks/hub/subnets/{}"{}}}])",
                          subnet, prefix.empty() ? "" : fmt::format(R"(, "addressPrefix": "{}")", prefix)));
  return {{"udr.json", text}};
}

struct Row {
  std::string prefix;
  std::string type;
  std::string source;
  std::string address{};
  std::string state = "Active";
};

auto effective(const std::vector<Row>& rows) -> std::string {
  std::string result;
  for (const auto& row : rows)
    result += fmt::format(
        R"({}{{"addressPrefix": ["{}"], "nextHopType": "{}", "source": "{}", "state": "{}", "nextHopIpAddress": [{}]}})",
        result.empty() ? "" : ", ", row.prefix, row.type, row.source, row.state,
        row.address.empty() ? "" : "\"" + row.address + "\"");
  return "{\"value\": [" + result + "]}";
}

const test::UdrRoute by_firewall{"0.0.0.0/0", "VirtualAppliance", "10.0.1.4"};

auto spoke(const std::string& own, const Row& more) -> std::string {
  return effective({{own, "VnetLocal", "Default"}, {"10.0.0.0/16", "VNetPeering", "Default"}, more});
}

}  // namespace

auto azure_cases() -> std::vector<Case> {
  const Row to_b{"10.2.0.0/16", "VirtualAppliance", "User", "10.0.1.4"};
  return {
      {.why = "a default",
       .rule = "gateway-subnet",
       .expected = {"udr.json: route r0: the table of GatewaySubnet sends 0.0.0.0/0 to 10.0.1.4"},
       .alone = attached("GatewaySubnet", {by_firewall})},
      {.why = "a half",
       .rule = "gateway-subnet",
       .expected = {"udr.json: route r0: the table of GatewaySubnet sends 128.0.0.0/1 to None"},
       .alone = attached("gatewaysubnet", {{"128.0.0.0/1", "None"}})},
      {.why = "propagation",
       .rule = "gateway-subnet",
       .expected = {"udr.json: the table of GatewaySubnet has gateway route propagation off"},
       .alone = attached("GatewaySubnet", {{"10.1.0.0/16", "VirtualAppliance", "10.0.1.4"}}, true)},
      {.why = "a VNet's prefix",
       .rule = "gateway-subnet",
       .expected = {},
       .alone = attached("GatewaySubnet", {{"10.1.0.0/16", "VirtualAppliance", "10.0.1.4"}})},
      {.why = "another subnet",
       .rule = "gateway-subnet",
       .expected = {},
       .alone = attached("app", {by_firewall}, true)},

      {.why = "Bastion",
       .rule = "subnet-takes-no-table",
       .expected = {"udr.json: AzureBastionSubnet has a route table"},
       .alone = attached("AzureBastionSubnet", {by_firewall})},
      {.why = "Route Server",
       .rule = "subnet-takes-no-table",
       .expected = {"udr.json: RouteServerSubnet has a route table"},
       .alone = attached("RouteServerSubnet", {by_firewall})},
      {.why = "an application",
       .rule = "subnet-takes-no-table",
       .expected = {},
       .alone = attached("bastion", {by_firewall})},

      {.why = "another route for the management",
       .rule = "firewall-subnet",
       .expected =
           {"udr.json: route r1: the table of AzureFirewallManagementSubnet sends 10.0.0.0/8 to 10.0.9.4"},
       .alone = attached("AzureFirewallManagementSubnet",
                         {{"0.0.0.0/0", "Internet"}, {"10.0.0.0/8", "VirtualAppliance", "10.0.9.4"}}, true)},
      {.why = "propagation for the management",
       .rule = "firewall-subnet",
       .expected = {"udr.json: the table of AzureFirewallManagementSubnet has gateway route propagation on"},
       .alone = attached("AzureFirewallManagementSubnet", {{"0.0.0.0/0", "Internet"}})},
      {.why = "as it has to be",
       .rule = "firewall-subnet",
       .expected = {},
       .alone = attached("AzureFirewallManagementSubnet", {{"0.0.0.0/0", "Internet"}}, true)},
      {.why = "forced tunnelling",
       .rule = "firewall-subnet",
       .expected =
           {"udr.json: route r0: the table of AzureFirewallSubnet sends 0.0.0.0/0 to VirtualNetworkGateway"},
       .alone = attached("AzureFirewallSubnet", {{"0.0.0.0/0", "VirtualNetworkGateway"}})},
      {.why = "to the Internet",
       .rule = "firewall-subnet",
       .expected = {},
       .alone = attached("AzureFirewallSubnet", {{"0.0.0.0/0", "Internet"}})},

      {.why = "to none",
       .rule = "attached-nowhere",
       .expected = {"udr.json: the route table is attached to no subnet"},
       .alone =
           {{"udr.json",
             R"({"name": "t", "routes": [{"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}], "subnets": null})"}}},
      {.why = "nobody says",
       .rule = "attached-nowhere",
       .expected = {},
       .alone = {{"udr.json", udr({.routes = {by_firewall}})}}},
      {.why = "to one", .rule = "attached-nowhere", .expected = {}, .alone = attached("app", {by_firewall})},

      {.why = "the subnet is known",
       .rule = "own-subnet-captured",
       .expected =
           {"udr.json: route r0: udr.json sends what subnet app 10.1.2.0/24 says to itself to 10.0.1.4"},
       .alone = attached("app", {{"10.1.0.0/16", "VirtualAppliance", "10.0.1.4"}}, false, "10.1.2.0/24")},
      {.why = "it stays",
       .rule = "own-subnet-captured",
       .expected = {},
       .alone =
           attached("app", {{"10.1.0.0/16", "VirtualAppliance", "10.0.1.4"}, {"10.1.2.0/24", "VnetLocal"}},
                    false, "10.1.2.0/24")},
      {.why = "private space is longer in the VNet",
       .rule = "own-subnet-captured",
       .expected = {},
       .alone = attached("app", {{"10.0.0.0/8", "VirtualAppliance", "10.0.1.4"}}, false, "10.1.2.0/24")},
      {.why = "a port's",
       .rule = "own-subnet-captured",
       .edits = {lan_udr},
       .expected = {"udr.json: route r0: udr.json sends what the subnet of port lan 10.0.1.0/24 says to "
                    "itself to 10.0.2.10"},
       .files = {{"udr.json", udr({.routes = {{"10.0.0.0/16", "VirtualAppliance", "10.0.2.10"}}})}}},

      {.why = "somebody's",
       .rule = "next-hop-public",
       .expected = {"udr.json: route r0: the next hop of 0.0.0.0/0 is 20.50.1.7, outside private space"},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualAppliance", "20.50.1.7"}})},
      {.why = "a public prefix that the VNet has",
       .rule = "next-hop-public",
       .expected = {},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualAppliance", "30.0.1.7"}}, false, "30.0.1.0/24")},
      {.why = "private, and shared space",
       .rule = "next-hop-public",
       .expected = {},
       .alone = attached("app", {by_firewall, {"10.9.0.0/16", "VirtualAppliance", "100.64.0.4"}})},

      {.why = "the host",
       .rule = "next-hop-of-azure",
       .expected =
           {"udr.json: route r0: the next hop of 0.0.0.0/0 is 168.63.129.16, an address of the Azure host's"},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualAppliance", "168.63.129.16"}})},
      {.why = "the router",
       .rule = "next-hop-of-azure",
       .expected =
           {"udr.json: route r0: the next hop of 0.0.0.0/0 is 10.0.1.1, the router of subnet 10.0.1.0/24"},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.1"}}, false, "10.0.1.0/24")},
      {.why = "a prefix without a router",
       .rule = "next-hop-of-azure",
       .expected = {},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.5"}}, false, "10.0.1.4/31")},
      {.why = "an appliance",
       .rule = "next-hop-of-azure",
       .expected = {},
       .alone = attached("app", {by_firewall}, false, "10.0.1.0/24")},

      {.why = "the hub's prefix",
       .rule = "vnet-through-appliance",
       .expected = {"udr.json: route r1: 10.0.0.0/16 goes to 10.0.1.4, which is in it, and no route in it is "
                    "VnetLocal"},
       .alone = attached("nva", {by_firewall, {"10.0.0.0/16", "VirtualAppliance", "10.0.1.4"}})},
      {.why = "the subnet is excepted",
       .rule = "vnet-through-appliance",
       .expected = {},
       .alone =
           attached("nva", {{"10.0.0.0/16", "VirtualAppliance", "10.0.1.4"}, {"10.0.1.0/24", "VnetLocal"}})},
      {.why = "private space",
       .rule = "vnet-through-appliance",
       .expected = {},
       .alone = attached("nva", {{"10.0.0.0/8", "VirtualAppliance", "10.0.1.4"}})},

      {.why = "to None",
       .rule = "default-dropped",
       .expected = {"udr.json: route r0: 0.0.0.0/0 goes to None"},
       .alone = attached("app", {{"0.0.0.0/0", "None"}})},
      {.why = "another prefix",
       .rule = "default-dropped",
       .expected = {},
       .alone = attached("app", {by_firewall, {"10.0.0.0/8", "None"}})},

      {.why = "an exception",
       .rule = "internet-needs-outbound",
       .expected = {"udr.json: route r1: 20.118.99.224/32 goes to the Internet by the subnet's own outbound"},
       .alone =
           attached("app", {by_firewall, {"20.118.99.224/32", "Internet"}, {"40.83.235.53/32", "Internet"}})},
      {.why = "Azure Firewall's",
       .rule = "internet-needs-outbound",
       .expected = {},
       .alone = attached("AzureFirewallManagementSubnet", {{"0.0.0.0/0", "Internet"}}, true)},
      {.why = "none",
       .rule = "internet-needs-outbound",
       .expected = {},
       .alone = attached("app", {by_firewall})},

      {.why = "no exception",
       .rule = "kms-tunnelled",
       .expected = {"udr.json: route r0: udr.json sends 0.0.0.0/0 to VirtualNetworkGateway, key management "
                    "servers with it"},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualNetworkGateway"}})},
      {.why = "learned",
       .rule = "kms-tunnelled",
       .expected =
           {"e.json: e.json sends 0.0.0.0/0 to VirtualNetworkGateway, key management servers with it"},
       .alone = {{"e.json",
                  effective({{"0.0.0.0/0", "VirtualNetworkGateway", "VirtualNetworkGateway", "10.0.3.4"}})}}},
      {.why = "excepted",
       .rule = "kms-tunnelled",
       .expected = {},
       .alone = attached("app", {{"0.0.0.0/0", "VirtualNetworkGateway"}, {"20.118.99.224/32", "Internet"}})},
      {.why = "a firewall in Azure",
       .rule = "kms-tunnelled",
       .expected = {},
       .alone = attached("app", {by_firewall})},

      {.why = "digits that changed places",
       .rule = "kms-near-miss",
       .expected = {"udr.json: route r1: udr.json sends 20.118.99.244 to the Internet; the key management "
                    "server is 20.118.99.224"},
       .alone =
           attached("app", {by_firewall, {"20.118.99.244/32", "Internet"}, {"40.83.235.53/32", "Internet"}})},
      {.why = "in a zone",
       .rule = "kms-near-miss",
       .edits = {{"@onprem", R"({ prefix = "23.102.135.64/32", next_hop = "Internet" },)"}},
       .expected = {"sekisho.toml:29: zone onprem sends 23.102.135.64 to the Internet; the key management "
                    "server is 23.102.135.246"}},
      {.why = "another host",
       .rule = "kms-near-miss",
       .expected = {},
       .alone = attached("app", {{"52.136.197.163/32", "Internet"}, {"20.118.99.224/32", "Internet"}})},
      {.why = "not to the Internet",
       .rule = "kms-near-miss",
       .expected = {},
       .alone = attached("app", {{"20.118.99.244/32", "None"}})},

      {.why = "a longer peering",
       .rule = "peering-past-appliance",
       .expected = {"e.json: in e.json 10.1.0.0/16 and 1 more goes past the route of 10.0.0.0/8 to 10.0.1.4: "
                    "it is VNetPeering"},
       .alone = {{"e.json", effective({{"10.0.0.0/16", "VnetLocal", "Default"},
                                       {"10.1.0.0/16", "VNetPeering", "Default"},
                                       {"10.2.0.0/16", "VNetPeering", "Default"},
                                       {"10.0.0.0/8", "VirtualAppliance", "User", "10.0.1.4"}})}}},
      {.why = "a default does not mean it",
       .rule = "peering-past-appliance",
       .expected = {},
       .alone = {{"e.json", effective({{"10.1.0.0/16", "VNetPeering", "Default"},
                                       {"0.0.0.0/0", "VirtualAppliance", "User", "10.0.1.4"}})}}},

      {.why = "a private endpoint",
       .rule = "endpoint-past-appliance",
       .expected = {"e.json: in e.json 10.3.0.5/32 goes past the route of 0.0.0.0/0 to 10.0.1.4: it is "
                    "InterfaceEndpoint"},
       .alone = {{"e.json", effective({{"10.3.0.5/32", "InterfaceEndpoint", "Default"},
                                       {"0.0.0.0/0", "VirtualAppliance", "User", "10.0.1.4"}})}}},
      {.why = "no appliance",
       .rule = "endpoint-past-appliance",
       .expected = {},
       .alone = {{"e.json", effective({{"10.3.0.5/32", "InterfaceEndpoint", "Default"},
                                       {"0.0.0.0/0", "Internet", "Default"}})}}},

      {.why = "behind a gateway",
       .rule = "next-hop-unreachable",
       .expected = {"e.json: the next hop of 0.0.0.0/0, 172.16.1.4, is behind VirtualNetworkGateway of "
                    "172.16.0.0/12"},
       .alone = {{"e.json",
                  effective({{"10.0.0.0/16", "VnetLocal", "Default"},
                             {"172.16.0.0/12", "VirtualNetworkGateway", "VirtualNetworkGateway", "10.0.3.4"},
                             {"0.0.0.0/0", "VirtualAppliance", "User", "172.16.1.4"}})}}},
      {.why = "peered, and its own prefix overridden",
       .rule = "next-hop-unreachable",
       .expected = {},
       .alone = {{"e.json", effective({{"10.0.0.0/16", "VirtualAppliance", "User", "10.0.1.4"},
                                       {"10.1.0.0/16", "VNetPeering", "Default"},
                                       {"0.0.0.0/0", "VirtualAppliance", "User", "10.1.0.4"}})}}},

      {.why = "the peering is overridden by a route to another appliance there",
       .rule = "next-hop-unreachable",
       .expected = {},
       .alone = {{"e.json", effective({{"10.1.0.0/16", "VnetLocal", "Default"},
                                       {"10.0.0.0/16", "VNetPeering", "Default", "", "Invalid"},
                                       {"10.0.0.0/16", "VirtualAppliance", "User", "10.0.1.4"},
                                       {"0.0.0.0/0", "VirtualAppliance", "User", "10.0.2.4"}})}}},
      {.why = "a gateway's route is overridden",
       .rule = "next-hop-unreachable",
       .expected = {"e.json: the next hop of 0.0.0.0/0, 172.16.2.4, is behind 10.1.1.4 of 172.16.0.0/12"},
       .alone = {{"e.json", effective({{"10.1.0.0/16", "VnetLocal", "Default"},
                                       {"172.16.0.0/12", "VirtualNetworkGateway", "VirtualNetworkGateway",
                                        "10.0.3.4", "Invalid"},
                                       {"172.16.0.0/12", "VirtualAppliance", "User", "10.1.1.4"},
                                       {"0.0.0.0/0", "VirtualAppliance", "User", "172.16.2.4"}})}}},

      {.why = "the way back is the peering",
       .rule = "tables-asymmetric",
       .expected = {"a.json: what goes to 10.2.0.0/16 by 10.0.1.4 comes back by VNetPeering (b.json)"},
       .alone = {{"a.json", spoke("10.1.0.0/16", to_b)},
                 {"b.json", spoke("10.2.0.0/16", {"10.1.0.0/16", "VNetPeering", "Default"})}}},
      {.why = "by the same",
       .rule = "tables-asymmetric",
       .expected = {},
       .alone = {{"a.json", spoke("10.1.0.0/16", to_b)},
                 {"b.json", spoke("10.2.0.0/16", {"10.1.0.0/16", "VirtualAppliance", "User", "10.0.1.4"})}}},

      {.why = "a gateway that is said",
       .rule = "udr-to-expressroute",
       .expected = {"udr.json: route r0: 172.16.0.0/12 goes to VirtualNetworkGateway, and the gateway is "
                    "said to be ExpressRoute's"},
       .alone = attached("app", {{"172.16.0.0/12", "VirtualNetworkGateway"}}),
       .gateway = config::Gateway::expressroute},
  };
}

}  // namespace sekisho::check
