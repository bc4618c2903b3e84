// SPDX-License-Identifier: BSD-3-Clause
// Packets' ways: past the firewall, in a loop, out and back by different ones.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {

auto way_cases() -> std::vector<Case> {
  return {
      {"an exception that the assertion does not name",
       "assertion",
       {{"@onprem", R"({ prefix = "8.8.8.8/32", next_hop = "Internet" })"},
        {"@end", "[[assert]]\nfrom = \"zone:onprem\"\nto = \"internet\"\nvia = \"firewall\""}},
       {"sekisho.toml:46: \"zone onprem to internet via firewall\" is false for 1 destination address: what "
        "172.16.0.0 of zone onprem sends to 8.8.8.8 goes via Internet, by 8.8.8.8/32 (sekisho.toml:29), and "
        "not "
        "via firewall"}},
      {"one that it names",
       "assertion",
       {{"@onprem", R"({ prefix = "8.8.8.8/32", next_hop = "Internet" })"},
        {"@end",
         "[[assert]]\nfrom = \"zone:onprem\"\nto = \"internet\"\nvia = \"firewall\"\nexcept = "
         "\"8.8.8.8/32\""}},
       {}},
      {"Azure's gateway for a public prefix",
       "past-the-firewall",
       {{"@azure", "[azure.next_hop]\nVirtualNetworkGateway = \"vnet-gateway\""},
        {"@onprem", "\"udr.json\""}},
       {"sekisho.toml:24: \"zone onprem reaches the Internet by firewall and named exceptions only\" is "
        "false for "
        "256 destination addresses: what 172.16.0.0 of zone onprem sends to 8.8.8.0 goes via vnet-gateway, "
        "by "
        "8.8.8.0/24 (udr.json: route r0), and not via firewall, dropped or a named exception"},
       {{"udr.json", udr({.routes = {{"8.8.8.0/24", "VirtualNetworkGateway"}}})}}},
      {"its exception, an appliance by its address, private space, and nobody who asks",
       "past-the-firewall",
       {{"@azure", "[azure.next_hop]\nVirtualNetworkGateway = \"vnet-gateway\""},
        {"@onprem", "\"udr.json\""}},
       {},
       {{"udr.json", udr({.routes = {{"8.8.8.8/32", "Internet"},
                                     {"9.9.9.0/24", "VirtualAppliance", "10.0.1.10"},
                                     {"10.9.0.0/16", "VirtualNetworkGateway"}}})}}},
      {"assert = false",
       "past-the-firewall",
       {{"@internet", "assert = false"},
        {"@azure", "[azure.next_hop]\nVirtualNetworkGateway = \"vnet-gateway\""},
        {"@onprem", "\"udr.json\""}},
       {},
       {{"udr.json", udr({.routes = {{"8.8.8.0/24", "VirtualNetworkGateway"}}})}}},

      {"13 of 223",
       "bypass",
       {{"@onprem", R"({ file = "p.txt", next_hop = "Internet" },)"}},
       {},
       {{"p.txt",
         "20.0.0.0/8\n21.0.0.0/8\n22.0.0.0/8\n23.0.0.0/8\n24.0.0.0/8\n25.0.0.0/8\n26.0.0.0/8\n27.0.0.0/8\n"
         "28.0.0.0/8\n29.0.0.0/8\n30.0.0.0/8\n31.0.0.0/8\n32.0.0.0/8\n"}}},
      {"14 of 223",
       "bypass",
       {{"@onprem", R"({ file = "p.txt", next_hop = "Internet" },)"}},
       {"sekisho.toml: exceptions with next hop Internet cover 6 % of all unicast addresses"},
       {{"p.txt",
         "20.0.0.0/8\n21.0.0.0/8\n22.0.0.0/8\n23.0.0.0/8\n24.0.0.0/8\n25.0.0.0/8\n26.0.0.0/8\n27.0.0.0/8\n"
         "28.0.0.0/8\n29.0.0.0/8\n30.0.0.0/8\n31.0.0.0/8\n32.0.0.0/8\n33.0.0.0/8\n"}}},
      {"AzureCloud",
       "bypass",
       {{"@vnet", R"({ tag = "AzureCloud", next_hop = "Internet" },)"}},
       {"sekisho.toml:37: zone vnet sends AzureCloud past the firewall, 20.0.0.0/16 first"}},
      {"a service", "bypass", {{"@vnet", R"({ tag = "AzureMonitor", next_hop = "Internet" },)"}}, {}},
      {"AzureCloud by the firewall",
       "bypass",
       {{"@vnet", R"({ tag = "AzureCloud", next_hop = "firewall" },)"}},
       {}},

      {"refused by that name",
       "internet-without-exit",
       {{"exit = { port = \"egress\" }", "#"},
        {"@vnet", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {"sekisho.toml:37: next hop \"Internet\" needs to know where to leave: write exit = { port = \"...\" "
        "} in "
        "[internet]"}},
      {"refused for something else",
       "internet-without-exit",
       {{"via = \"firewall\"", "via = \"nobody\""}},
       {}},

      {"the firewall is the on-premises gateway",
       "loop",
       {{"via = \"firewall\"", "via = \"onprem-gateway\""}},
       {"sekisho.toml:15: zone onprem sends 0.0.0.0/1 to onprem-gateway, by which other zones reach the zone "
        "itself",
        "sekisho.toml:15: zone onprem sends 128.0.0.0/1 to onprem-gateway, by which other zones reach the "
        "zone itself"}},
      {"by another name",
       "loop",
       {{"@end", "[next_hop.router]\nmembers = [\"10.0.1.5\", \"10.0.1.10\"]"},
        {"@onprem", R"({ prefix = "0.0.0.0/1", next_hop = "router" },)"}},
       {"sekisho.toml:29: zone onprem sends 0.0.0.0/1 to router, by which other zones reach the zone "
        "itself"}},
      {"a shared router serves another network",
       "loop",
       {{"@onprem", R"({ prefix = "192.168.0.0/16", next_hop = "onprem-gateway" },)"}},
       {}},
      {"sources beyond private space are reached by the default",
       "loop",
       {{"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"198.51.100.0/24\"]"}},
       {}},

      {"to itself",
       "hairpin",
       {{"@vnet", R"({ prefix = "10.0.7.0/24", next_hop = "vnet-gateway" },)"}},
       {"sekisho.toml:37: zone vnet sends 10.0.7.0/24, where its own sources are, back out of port lan"}},
      {"by another port",
       "hairpin",
       {{"@vnet", R"({ prefix = "10.0.7.0/24", next_hop = "firewall" },)"}},
       {}},
      {"the zone has two",
       "hairpin",
       {{"port = [\"lan\"]\nsources = [\"10.0.0.0/16\"]",
         "port = [\"lan\", \"egress\"]\nsources = [\"10.0.0.0/16\"]"},
        {"@vnet", R"({ prefix = "10.0.7.0/24", next_hop = "vnet-gateway" },)"}},
       {}},

      {"one way by the firewall",
       "asymmetric",
       {{"prefix = \"10.0.0.0/16\", next_hop = \"vnet-gateway\"",
         "prefix = \"10.0.0.0/16\", next_hop = \"firewall\""}},
       {"sekisho.toml:36: zone onprem sends 172.16.0.0/12 to 10.0.0.0/16 by firewall, and zone vnet sends "
        "the replies "
        "by onprem-gateway"}},
      {"both",
       "asymmetric",
       {{"prefix = \"10.0.0.0/16\", next_hop = \"vnet-gateway\"",
         "prefix = \"10.0.0.0/16\", next_hop = \"firewall\""},
        {"prefix = \"172.16.0.0/12\", next_hop = \"onprem-gateway\"",
         "prefix = \"172.16.0.0/12\", next_hop = \"firewall\""}},
       {}},
      {"replies that are dropped are another rule's",
       "asymmetric",
       {{"prefix = \"10.0.0.0/16\", next_hop = \"vnet-gateway\"",
         "prefix = \"10.0.0.0/16\", next_hop = \"firewall\""},
        {"prefix = \"172.16.0.0/12\", next_hop = \"onprem-gateway\"",
         "prefix = \"172.16.0.0/12\", next_hop = \"None\""}},
       {}},

      {"private space without a route",
       "no-way-back",
       {{"{ prefix = \"172.16.0.0/12\", next_hop = \"onprem-gateway\" },\n@vnet", "#\n@vnet"}},
       {"sekisho.toml: zone onprem has a way from 172.16.0.0/12 to 10.0.0.0/16, and zone vnet drops the "
        "replies"}},
      {"a route that drops",
       "no-way-back",
       {{"prefix = \"172.16.0.0/12\", next_hop = \"onprem-gateway\"",
         "prefix = \"172.16.0.0/12\", next_hop = \"None\""}},
       {"sekisho.toml:36: zone onprem has a way from 172.16.0.0/12 to 10.0.0.0/16, and zone vnet drops the "
        "replies"}},
      {"neither has one",
       "no-way-back",
       {{"prefix = \"172.16.0.0/12\", next_hop = \"onprem-gateway\"",
         "prefix = \"172.16.0.0/12\", next_hop = \"None\""},
        {"prefix = \"10.0.0.0/16\", next_hop = \"vnet-gateway\"",
         "prefix = \"10.0.0.0/16\", next_hop = \"None\""}},
       {}},
  };
}

}  // namespace sekisho::check
