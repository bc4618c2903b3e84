// SPDX-License-Identifier: BSD-3-Clause
// Routes and sources: exceptions, limits, tags, and what never decides anything.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {
namespace {

auto effective(const std::string& source, const std::string& prefix, const std::string& type,
               const std::string& next_hop = "") -> std::string {
  return R"([{"addressPrefix": [")" + prefix + R"("], "nextHopIpAddress": [)" +
         (next_hop.empty() ? "" : "\"" + next_hop + "\"") + R"(], "nextHopType": ")" + type +
         R"(", "source": ")" + source + R"(", "state": "Active"}])";
}

auto many_tags(unsigned count) -> std::string {
  std::vector<test::UdrRoute> routes;
  for (unsigned i = 0; i < count; ++i)
    routes.push_back({fmt::format("AzureMonitor.Region{}", i), "None"});
  return udr({.routes = routes});
}

}  // namespace

auto table_cases() -> std::vector<Case> {
  return {
      {"the preset is whole",
       "kms-incomplete",
       {{"@onprem", R"({ preset = "kms", cloud = "public", next_hop = "Internet" },)"}},
       {}},
      {"one of three",
       "kms-incomplete",
       {{"@onprem", R"({ prefix = "23.102.135.246/32", next_hop = "Internet" },)"}},
       {"sekisho.toml:29: zone onprem sends 23.102.135.246 to Internet, but not 20.118.99.224, "
        "40.83.235.53"}},
      {"the others by a shorter route",
       "kms-incomplete",
       {{"@onprem", R"({ prefix = "23.102.135.246/32", next_hop = "Internet" },)"
                    R"({ prefix = "20.118.0.0/16", next_hop = "Internet" },)"
                    R"({ prefix = "40.83.0.0/16", next_hop = "Internet" },)"}},
       {}},
      {"of another cloud",
       "kms-incomplete",
       {{"@onprem", R"({ prefix = "23.97.0.13/32", next_hop = "Internet" },)"}},
       {"sekisho.toml:29: zone onprem sends 23.97.0.13 to Internet, but not 52.126.105.2"}},
      {"dropped is no exception",
       "kms-incomplete",
       {{"@onprem", R"({ prefix = "23.97.0.13/32", next_hop = "None" },)"}},
       {}},

      {"the preset of another cloud",
       "kms-of-another-cloud",
       {{"@onprem", R"({ preset = "kms", cloud = "china", next_hop = "Internet" },)"}},
       {"sekisho.toml:29: zone onprem has exceptions for the key management servers of cloud china, and this "
        "is "
        "public"}},
      {"of this cloud",
       "kms-of-another-cloud",
       {{"@onprem", R"({ preset = "kms", cloud = "public", next_hop = "Internet" },)"}},
       {}},
      {"nobody says which cloud this is",
       "kms-of-another-cloud",
       {{"[azure]\ncloud = \"public\"\nservice_tags = \"tags.json\"\n", "#\n#\n#\n"},
        {"@onprem", R"({ preset = "kms", cloud = "china", next_hop = "Internet" },)"}},
       {}},

      {"600 routes", "table-too-long", {{"@onprem", "\"udr.json\","}}, {}, {{"udr.json", many_routes(600)}}},
      {"601 in a zone's file",
       "table-too-long",
       {{"@onprem", "\"udr.json\","}},
       {"udr.json: route table spoke-rt has 601 routes"},
       {{"udr.json", many_routes(601)}}},
      {"601 for a subnet",
       "table-too-long",
       {lan_udr},
       {"udr.json: route table spoke-rt has 601 routes"},
       {{"udr.json", many_routes(601)}}},
      {"601 by the second of two parameters files",
       "table-too-long",
       {{"@onprem", R"({ file = "t.json", parameters = "a.json" },)"},
        {"@vnet", R"({ file = "t.json", parameters = "b.json" },)"}},
       {"t.json with b.json: route table t has 601 routes"},
       {{"t.json", R"({"parameters": {"count": {"type": "int"}}, "resources": [
           {"type": "Microsoft.Network/routeTables", "name": "t", "properties": {"copy": [
             {"name": "routes", "count": "[parameters('count')]", "input": {
               "name": "[format('r{0}', copyIndex('routes'))]", "properties": {"nextHopType": "None",
               "addressPrefix": "[cidrSubnet('20.0.0.0/8', 24, copyIndex('routes'))]"}}}]}}]})"},
        {"a.json", R"({"parameters": {"count": {"value": 1}}})"},
        {"b.json", R"({"parameters": {"count": {"value": 601}}})"}}},
      {"no limit of the appliance's",
       "table-too-long",
       {{"@onprem", R"({ file = "p.txt", next_hop = "None" },)"}},
       {},
       {{"p.txt", prefix_lines(700)}}},

      // Each zone has two host routes besides: 168.63.129.16 and 169.254.169.254.
      {"32,768 /24s with longer prefixes",
       "table-too-deep",
       {{"@onprem", R"({ file = "p.txt", next_hop = "None" },)"}},
       {"sekisho.toml: zone onprem has prefixes longer than /24 in 32768 /24s"},
       {{"p.txt", host_lines(32'766)}}},
      {"32,767",
       "table-too-deep",
       {{"@onprem", R"({ file = "p.txt", next_hop = "None" },)"}},
       {},
       {{"p.txt", host_lines(32'765)}}},

      {"25 tags",
       "table-too-many-tags",
       {lan_udr},
       {},
       {{"udr.json", many_tags(25)}, {"tags.json", test::monitor_regions(26)}}},
      {"26 tags",
       "table-too-many-tags",
       {lan_udr},
       {"udr.json: route table spoke-rt has 26 routes to service tags"},
       {{"udr.json", many_tags(26)}, {"tags.json", test::monitor_regions(26)}}},

      {"AzureCloud in the configuration",
       "tag-without-udr",
       {{"@onprem", R"({ tag = "azurecloud", next_hop = "None" },)"}},
       {"sekisho.toml:29: AzureCloud is routed by"}},
      {"AzureCloud in a subnet's table",
       "tag-without-udr",
       {lan_udr},
       {"udr.json: $.routes[0]: AzureCloud is routed by"},
       {{"udr.json", udr({.routes = {{"AzureCloud", "Internet"}}})}}},
      {"a tag with UDR",
       "tag-without-udr",
       {{"@onprem", R"({ tag = "AzureMonitor", next_hop = "None" },)"}},
       {}},

      {"IPv6 only",
       "tag-without-ipv4",
       {{"@onprem", R"({ tag = "Six", next_hop = "None" },)"}},
       {"sekisho.toml:29: Six has no IPv4 prefix"}},
      {"both", "tag-without-ipv4", {{"@onprem", R"({ tag = "AzureMonitor", next_hop = "None" },)"}}, {}},

      {"a host route",
       "host-address-captured",
       {{"@onprem", R"({ prefix = "168.63.129.16/32", next_hop = "firewall" },)"}},
       {"sekisho.toml:29: zone onprem sends 168.63.129.16 to firewall"}},
      {"shorter ones lose",
       "host-address-captured",
       {{"@onprem", R"({ prefix = "168.63.129.0/24", next_hop = "firewall" },)"
                    R"({ prefix = "169.254.169.254/32", next_hop = "None" },)"}},
       {}},
      {"in a subnet's table",
       "host-address-captured",
       {lan_udr},
       {"udr.json: route r1: udr.json sends 169.254.169.254 to 10.0.2.10"},
       {{"udr.json", udr({.routes = {{"168.63.0.0/16", "Internet"},
                                     {"169.254.169.254/32", "VirtualAppliance", "10.0.2.10"}}})}}},

      {"in another zone's",
       "sources-overlap",
       {{"[\"0.0.0.0/0\"]", "[\"0.0.0.0/0\", \"10.0.2.0/24\"]"}},
       {"sekisho.toml:39: 10.0.2.0/24 of zone internet lies in 10.0.0.0/16 of zone vnet"}},
      {"in the zone's own, and in what no other claims",
       "sources-overlap",
       {{"[\"10.0.0.0/16\"]", "[\"10.0.0.0/16\", \"10.0.2.0/24\"]"}},
       {}},
      {"two around it",
       "sources-overlap",
       {{"[\"10.0.0.0/16\"]", "[\"10.0.0.0/16\", \"172.16.5.0/24\"]"},
        {"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"172.16.5.128/25\"]"}},
       {"sekisho.toml:31: 172.16.5.0/24 of zone vnet lies in 172.16.0.0/12 of zone onprem",
        "sekisho.toml:23: 172.16.5.128/25 of zone onprem lies in 172.16.5.0/24 of zone vnet"}},

      {"in several blocks, one a half of them",
       "never-matches",
       {{"@vnet", R"({ prefix = "127.0.0.0/8", next_hop = "firewall" },
                     { prefix = "240.0.0.0/8", next_hop = "firewall" },
                     { prefix = "241.0.0.0/8", next_hop = "firewall" },
                     { prefix = "224.0.0.0/3", next_hop = "firewall" },)"}},
       {"sekisho.toml:37: 127.0.0.0/8 in zone vnet can never match: what is for 127.0.0.0/8 is dropped",
        "sekisho.toml:40: 224.0.0.0/3 in zone vnet can never match: what is for 224.0.0.0/3 is dropped",
        "sekisho.toml:38: 240.0.0.0/8 and 1 more in zone vnet can never match: what is for 240.0.0.0/4 is "
        "dropped"}},
      {"what holds more, what is dropped anyway, and what another rule is for",
       "never-matches",
       {{"@vnet", R"({ prefix = "126.0.0.0/7", next_hop = "firewall" },
                     { prefix = "224.0.0.0/4", next_hop = "None" },
                     { prefix = "169.254.169.254/32", next_hop = "firewall" },
                     { prefix = "128.0.0.0/1", next_hop = "firewall" },)"}},
       {}},

      {"twice in one zone",
       "duplicate-route",
       {{"@vnet", R"({ prefix = "172.16.0.0/12", next_hop = "firewall" },)"}},
       {"sekisho.toml:37: duplicate 172.16.0.0/12 in zone vnet, first at sekisho.toml:36; the last one "
        "wins"}},
      {"a part of another, and the same in another zone",
       "duplicate-route",
       {{"@vnet", R"({ prefix = "172.16.0.0/13", next_hop = "firewall" },)"}},
       {}},

      {"a port that no zone names",
       "port-in-no-zone",
       {{"@end", "[port.idle]\ndevice = \"net_null0\""}},
       {"sekisho.toml:46: port idle is in no zone: everything received on it is dropped"}},
      {"a port in several zones",
       "port-in-no-zone",
       {{"port = [\"egress\"]", "port = [\"egress\", \"lan\"]"}},
       {}},

      {"nothing but the host's own",
       "zone-without-route",
       {{"@end", "[zone.empty]\nport = [\"lan\"]\nsources = [\"10.9.0.0/16\"]"}},
       {"sekisho.toml:46: zone empty has no route: everything from it is dropped"}},
      {"the ports' subnets",
       "zone-without-route",
       {{"@end", "[zone.empty]\nport = [\"lan\"]\nsources = [\"10.9.0.0/16\"]\nconnected = true"}},
       {}},

      {"Azure's own default",
       "route-left-out",
       {{"@vnet", "\"effective.json\","}},
       {"effective.json: System route 0.0.0.0/0 to Internet is left out: it would go past the firewall; "
        "write the route if that is meant"},
       {{"effective.json", effective("Default", "0.0.0.0/0", "Internet")}}},
      {"what somebody wrote",
       "route-left-out",
       {{"@vnet", "\"effective.json\","}},
       {},
       {{"effective.json", effective("User", "20.0.0.0/8", "VirtualAppliance", "10.0.1.10")}}},

      {"a port whose interface is not here",
       "next-hop-maybe-own",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\"\n"},
        {"@vnet", R"({ file = "learned.json", next_hop = "vnet-gateway" },)"}},
       {"learned.json: BGP route 20.0.0.0/8 goes to vnet-gateway, unless its next hop 10.0.9.9 is this "
        "appliance's own, which means [internet].via: the addresses of lan0 are not known here; an own one "
        "can be written in own_addresses of [azure]"},
       {{"learned.json", effective("VirtualNetworkGateway", "20.0.0.0/8", "VirtualAppliance", "10.0.9.9")}}},
      {"all addresses are known",
       "next-hop-maybe-own",
       {{"@vnet", R"({ file = "learned.json", next_hop = "vnet-gateway" },)"}},
       {},
       {{"learned.json", effective("VirtualNetworkGateway", "20.0.0.0/8", "VirtualAppliance", "10.0.9.9")}}},
  };
}

}  // namespace sekisho::check
