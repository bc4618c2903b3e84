// SPDX-License-Identifier: BSD-3-Clause
// What is advertised to BGP peers, and learned of them: halves, defaults, numbers of autonomous systems.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {
namespace {

auto advertise(const std::string& what) -> Edit {
  return {"@internet", "advertise = \"" + what + "\""};
}
auto bgp(const std::string& asn, const std::string& rest = "") -> Edit {
  return {
      "@end",
      "[bgp]\nasn = " + asn +
          "\npeer = [{ address = \"10.0.3.4\", asn = 65515 }, { address = \"10.0.3.5\", asn = 65515 }]\n" +
          rest};
}
auto peer(const std::string& how) -> Edit {
  return {"@end", "[bgp]\nasn = 65010\npeer = [{ " + how + " }]\n"};
}
auto bound(const std::string& what) -> Edit {
  return {"@azure", "gateway = \"" + what + "\"\n[azure.next_hop]\nVnetLocal = \"vnet-gateway\""};
}
const Edit vnet_routes{"sources = [\"10.0.0.0/16\"]",
                       "sources = [\"10.0.0.0/16\"]\nsystem_routes = true\nvnet = [\"10.0.0.0/16\"]"};

const Edit lan0{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""};
const Edit follows{"sources = [\"10.0.0.0/16\"]", "sources = [\"10.0.0.0/16\"]\nfollow_default = true"};

}  // namespace

auto advertised_cases() -> std::vector<Case> {
  return {
      {"a route replaces nothing of a pair",
       "one-half",
       {{"@vnet", R"({ prefix = "0.0.0.0/1", next_hop = "firewall" },)"}},
       {}},
      {"a zone without internet that has one",
       "one-half",
       {{"sources = [\"10.0.0.0/16\"]\ninternet = true", "sources = [\"10.0.0.0/16\"]\n#"},
        {"@vnet", R"({ prefix = "128.0.0.0/1", next_hop = "firewall" },)"}},
       {"sekisho.toml:37: 128.0.0.0/1 stands in zone vnet without 0.0.0.0/1"}},
      {"in the subnet's table",
       "one-half",
       {egress_udr},
       {"udr.json: route r0: 0.0.0.0/1 stands in udr.json without 128.0.0.0/1"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/1", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"advertised",
       "one-half",
       {bgp("65010", R"(advertise = ["0.0.0.0/1"])")},
       {"sekisho.toml:46: 0.0.0.0/1 is advertised without 128.0.0.0/1"}},
      {"advertised in two places",
       "one-half",
       {bgp("65010", R"(advertise = ["0.0.0.0/1", { file = "more.txt" }])")},
       {},
       {{"more.txt", "128.0.0.0/1\n"}}},

      {"0.0.0.0/0 alone loses to them",
       "halves-trap",
       {advertise("halves"), egress_udr},
       {"udr.json: the halves are advertised, the subnet of port egress learns them back, and its route "
        "table has "
        "only 0.0.0.0/0 against them"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"nothing loses, too",
       "halves-trap",
       {advertise("halves"), egress_udr},
       {"udr.json: the halves are advertised, the subnet of port egress learns them back, and its route "
        "table has "
        "nothing against them"},
       {{"udr.json", udr({.routes = {{"10.9.0.0/16", "None"}}})}}},
      {"propagation is off",
       "halves-trap",
       {advertise("halves"), egress_udr},
       {},
       {{"udr.json",
         udr({.propagation_off = true, .routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"the halves are there",
       "halves-trap",
       {advertise("halves"), egress_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/1", "VirtualAppliance", "10.0.2.10"},
                                     {"128.0.0.0/1", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"the Internet does not leave by that port",
       "halves-trap",
       {advertise("halves"), lan_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "None"}}})}}},
      {"a text file does not tell of propagation",
       "halves-trap",
       {advertise("halves"), {"@egress", "subnet_routes = \"udr.txt\""}},
       {},
       {{"udr.txt", "0.0.0.0/0 10.0.2.10\n"}}},
      {"the default is advertised",
       "halves-trap",
       {advertise("default"), egress_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},

      {"nothing against it",
       "default-learned-back",
       {advertise("default"), egress_udr},
       {"udr.json: 0.0.0.0/0 is advertised, the subnet of port egress learns it back, and its route table "
        "has nothing "
        "against it"},
       {{"udr.json", udr({.routes = {{"10.9.0.0/16", "None"}}})}}},
      {"a route for it",
       "default-learned-back",
       {advertise("default"), egress_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"propagation is off",
       "default-learned-back",
       {advertise("default"), egress_udr},
       {},
       {{"udr.json", udr({.propagation_off = true, .routes = {{"10.9.0.0/16", "None"}}})}}},

      {"by [internet]",
       "default-to-vpn",
       {advertise("default"), gateway("vpn")},
       {"sekisho.toml:15: 0.0.0.0/0 is advertised, and [azure] names a VPN gateway"}},
      {"by [bgp]",
       "default-to-vpn",
       {bgp("65010", R"(advertise = ["0.0.0.0/0"])"), gateway("vpn")},
       {"sekisho.toml:46: 0.0.0.0/0 is advertised, and [azure] names a VPN gateway"}},
      {"ExpressRoute hands it on", "default-to-vpn", {advertise("default"), gateway("expressroute")}, {}},
      {"halves are handed on", "default-to-vpn", {advertise("halves"), gateway("vpn")}, {}},

      {"part of a VNet",
       "vnet-to-vpn",
       {bound("vpn"), vnet_routes,
        bgp("65010", R"(advertise = ["10.0.7.0/24", "10.0.0.0/8", "203.0.113.0/24"])")},
       {"sekisho.toml:50: 10.0.7.0/24 is advertised, and is a VNet's or part of one"}},
      {"another gateway",
       "vnet-to-vpn",
       {bound("expressroute"), vnet_routes, bgp("65010", R"(advertise = ["10.0.7.0/24"])")},
       {}},

      {"a thousand",
       "too-many-advertised",
       {bgp("65010", R"(advertise = [{ file = "p.txt" }])")},
       {},
       {{"p.txt", prefix_lines(1000)}}},
      {"the halves on top",
       "too-many-advertised",
       {advertise("halves"), bgp("65010", R"(advertise = [{ file = "p.txt" }])")},
       {"sekisho.toml:46: 1002 prefixes are to be advertised"},
       {{"p.txt", prefix_lines(1000)}}},

      {"no zone takes it",
       "attracted-and-dropped",
       {advertise("halves"), {"internet = true", "#"}, {"internet = true", "#"}},
       {"sekisho.toml:15: the Internet is advertised, and no zone has a route to it"}},
      {"a zone takes it", "attracted-and-dropped", {advertise("halves")}, {}},

      {"nobody is named",
       "advertised-to-nobody",
       {advertise("default")},
       {"sekisho.toml:15: [internet] has \"advertise\", and there is no [bgp]"}},
      {"peers are named", "advertised-to-nobody", {advertise("default"), bgp("65010")}, {}},
      {"somebody else does", "advertised-to-nobody", {advertise("none")}, {}},

      {"Route Server by another number",
       "peer-asn-strange",
       {peer(R"(address = "10.0.3.4", asn = 65514, preset = "azure-route-server")")},
       {"sekisho.toml:48: peer 10.0.3.4 is AS 65514 with preset \"azure-route-server\""}},
      {"another with its number",
       "peer-asn-strange",
       {peer(R"(address = "10.0.3.4", asn = 65515, preset = "generic")")},
       {"sekisho.toml:48: peer 10.0.3.4 is AS 65515 with preset \"generic\""}},
      {"Route Server as it is", "peer-asn-strange", {bgp("65010")}, {}},
      {"a peer of the same AS",
       "peer-internal",
       {peer(R"(address = "10.0.3.4", asn = 65010)")},
       {"sekisho.toml:48: peer 10.0.3.4 has the appliance's own AS number, 65010"}},
      {"a peer of another", "peer-internal", {bgp("65010")}, {}},
      {"a next hop of nobody's",
       "bgp-next-hop-strange",
       {peer(R"(address = "10.0.3.4", asn = 65515, next_hop = "10.0.1.100")")},
       {"sekisho.toml:48: peer 10.0.3.4 is told next hop 10.0.1.100, which is neither a port's address nor "
        "in "
        "own_addresses"}},
      {"a load balancer's",
       "bgp-next-hop-strange",
       {peer(R"(address = "10.0.3.4", asn = 65515, next_hop = "10.0.1.100")"),
        {"@azure", "own_addresses = [\"10.0.1.100\"]"}},
       {}},
      {"a port's",
       "bgp-next-hop-strange",
       {peer(R"(address = "10.0.3.4", asn = 65515, next_hop = "10.0.1.4")")},
       {}},

      {"nobody asks",
       "learns-nothing",
       {{"@end", "[bgp]"}},
       {"sekisho.toml:46: [bgp] has no peers, and no zone has \"bgp\" among its routes or sources"}},
      {"it has peers", "learns-nothing", {bgp("65010")}, {}},
      {"a zone asks", "learns-nothing", {{"@end", "[bgp]"}, {"@onprem", "\"bgp\","}}, {}},
      {"who is admitted is not answered",
       "learned-without-way-back",
       {{"@end", "[bgp]"}, {"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"bgp\"]"}},
       {"sekisho.toml:23: zone onprem admits learned sources, and no zone has \"bgp\" among its routes"}},
      {"some zone has the routes",
       "learned-without-way-back",
       {{"@end", "[bgp]"}, {"[\"172.16.0.0/12\"]", "[\"172.16.0.0/12\", \"bgp\"]"}, {"@onprem", "\"bgp\","}},
       {}},

      {"the host's default alone leads to the peer",
       "learned-default-unreached",
       {lan0, follows, {"@vnet", "\"bgp\","}, peer(R"(address = "10.0.3.4", asn = 65515)")},
       {"sekisho.toml:48: zone vnet follows a learned default, and this host reaches peer 10.0.3.4 by its "
        "own default "
        "alone"},
       {},
       {"lan0"}},
      {"a route of its own does",
       "learned-default-unreached",
       {lan0, follows, {"@vnet", "\"bgp\","}, peer(R"(address = "10.0.4.4", asn = 65515)")},
       {},
       {},
       {"lan0"}},
      {"no zone follows it",
       "learned-default-unreached",
       {lan0, {"@vnet", "\"bgp\","}, peer(R"(address = "10.0.3.4", asn = 65515)")},
       {},
       {},
       {"lan0"}},
      {"this is not the machine",
       "learned-default-unreached",
       {lan0, follows, {"@vnet", "\"bgp\","}, peer(R"(address = "10.0.3.4", asn = 65515)")},
       {},
       {},
       {"eth0"}},

      {"a private one", "asn-banned", {bgp("65010")}, {}},
      {"Route Server's", "asn-banned", {bgp("65515")}, {"sekisho.toml:46: the appliance is to be AS 65515"}},
      {"the first of a range",
       "asn-banned",
       {bgp("8074")},
       {"sekisho.toml:46: the appliance is to be AS 8074"}},
      {"the last of a range",
       "asn-banned",
       {bgp("65520")},
       {"sekisho.toml:46: the appliance is to be AS 65520"}},
      {"behind it", "asn-banned", {bgp("65521")}, {}},
      {"between two", "asn-banned", {bgp("65516")}, {}},
      {"no peer of Azure's",
       "asn-banned",
       {{"@end", "[bgp]\nasn = 12076\npeer = [{ address = \"10.0.3.4\", asn = 65001 }]"}},
       {}},
      {"documentation", "asn-reserved", {bgp("64496")}, {"sekisho.toml:46: the appliance is to be AS 64496"}},
      {"behind it", "asn-reserved", {bgp("64512")}, {}},
      {"AS_TRANS", "asn-reserved", {bgp("23456")}, {"sekisho.toml:46: the appliance is to be AS 23456"}},
      {"the last reserved one",
       "asn-reserved",
       {bgp("65551")},
       {"sekisho.toml:46: the appliance is to be AS 65551"}},
      {"32 bits", "asn-32-bit", {bgp("65552")}, {"sekisho.toml:46: the appliance is to be AS 65552"}},
      {"what is reserved is told once", "asn-32-bit", {bgp("65551")}, {}},
      {"16 bits", "asn-32-bit", {bgp("65534")}, {}},

      {"both", "one-route-server", {bgp("65010")}, {}},
      {"one of two",
       "one-route-server",
       {{"@end",
         "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65515 },\n{ address = \"10.0.3.5\", "
         "asn = "
         "65001 }]"}},
       {"sekisho.toml:48: 10.0.3.4 is the only peer with AS 65515"}},
      {"none",
       "one-route-server",
       {{"@end", "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65001 }]"}},
       {}},
  };
}

}  // namespace sekisho::check
