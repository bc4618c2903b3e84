// SPDX-License-Identifier: BSD-3-Clause
// Each rule against whole configurations, as an operator has them: files in a folder, read by policy::read. A case names what is
// found of one rule, nothing among it.
#include "control/check/check.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/check/gather.hpp"
#include "control/policy/policy.hpp"
#include "tests/unit/check/azure_files.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::check {
namespace {

using Lines = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

// No rule finds anything here. "@name" is a place for a case to put text into; each line counts.
constexpr std::string_view base = R"([port.lan]
device = "0000:00:04.0"
address = ["10.0.1.4/24"]
@lan
[port.egress]
device = "0000:00:05.0"
address = ["10.0.2.4/24"]
@egress
[next_hop]
firewall       = { members = ["10.0.2.10"], probe = { type = "tcp", port = 443 } }
onprem-gateway = { members = ["10.0.1.10"], probe = { type = "icmp" } }
@next_hop

vnet-gateway   = { members = ["10.0.1.20"], probe = { type = "icmp" } }
[internet]
via = "firewall"
exit = { port = "egress" }
@internet
[azure]
cloud = "public"
service_tags = "tags.json"
@azure
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [
  { prefix = "10.0.0.0/16", next_hop = "vnet-gateway" },
@onprem
]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16"]
internet = true
routes = [
  { prefix = "172.16.0.0/12", next_hop = "onprem-gateway" },
@vnet
]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [
  { prefix = "172.16.0.0/12", next_hop = "onprem-gateway" },
  { prefix = "10.0.0.0/16", next_hop = "vnet-gateway" },
]
@end
)";

struct Edit {
  std::string old;  // stands in the configuration once
  std::string text;
};

struct Case {
  std::string why;
  std::string rule;
  std::vector<Edit> edits;
  Lines expected;  // "where: what" of each finding
  Files files{};
  Lines interfaces{};  // of the machine; none: it is not asked
};

auto replaced(std::string text, const Edit& edit) -> std::string {
  const auto at = text.find(edit.old);
  EXPECT_NE(at, std::string::npos) << edit.old;
  return at == std::string::npos ? text : text.replace(at, edit.old.size(), edit.text);
}

// What is left of the places becomes comments.
auto configuration(const std::vector<Edit>& edits) -> std::string {
  std::string text{base};
  for (const auto& edit : edits)
    text = replaced(std::move(text), edit);
  for (auto at = text.find("\n@"); at != std::string::npos; at = text.find("\n@"))
    text[at + 1] = '#';
  return text;
}

class Folder {
 public:
  auto check(const std::string& text, const Files& files, const Lines& interfaces = {}) const
      -> std::vector<Finding> {
    netlink::Mirror mirror;
    for (const auto& name : interfaces) {
      const int index = static_cast<int>(mirror.links.size()) + 1;
      mirror.links[index] = {
          .index = index, .name = name, .mtu = 1500, .kind = name.starts_with("veth") ? "veth" : ""};
    }
    folder_.write("tags.json", test::service_tags);
    for (const auto& [name, content] : files)
      folder_.write(name, content);
    const auto policy = policy::read(folder_.write("sekisho.toml", text));
    if (!policy)
      return check::check(gather(policy.error()));
    const auto facts = gather(*policy, interfaces.empty() ? nullptr : &mirror);
    if (!facts)
      return check::check(gather(facts.error()));
    return check::check(*facts);
  }
  auto check_alone(const Files& files, FilesAlone alone) const -> std::vector<Finding> {
    for (const auto& [name, content] : files)
      alone.files.push_back(folder_.write(name, content));
    const auto facts = gather(alone);
    return check::check(facts ? *facts : gather(facts.error()));
  }
  // Without the folder's name.
  auto shorten(std::string text) const -> std::string {
    const auto name = folder_.path().string() + "/";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
      text.erase(at, name.size());
    return text;
  }
  auto lines(const std::vector<Finding>& findings, std::string_view rule) const -> Lines {
    Lines result;
    for (const auto& finding : findings)
      if (finding.rule->name == rule)
        result.push_back(shorten(finding.offence.where + ": " + finding.offence.what));
    return result;
  }
  [[nodiscard]] auto path() const -> const std::filesystem::path& { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

using test::udr;

auto advertise(const std::string& what) -> Edit {
  return {"@internet", "advertise = \"" + what + "\""};
}
auto gateway(const std::string& what) -> Edit {
  return {"@azure", "gateway = \"" + what + "\""};
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
const Edit egress_udr{"@egress", "subnet_routes = \"udr.json\""};
const Edit lan_udr{"@lan", "subnet_routes = \"udr.json\""};

auto effective(const std::string& source, const std::string& prefix, const std::string& type,
               const std::string& next_hop = "") -> std::string {
  return R"([{"addressPrefix": [")" + prefix + R"("], "nextHopIpAddress": [)" +
         (next_hop.empty() ? "" : "\"" + next_hop + "\"") + R"(], "nextHopType": ")" + type +
         R"(", "source": ")" + source + R"(", "state": "Active"}])";
}

auto prefix_lines(unsigned count) -> std::string {
  std::string result;
  for (unsigned i = 0; i < count; ++i)
    result += fmt::format("20.{}.{}.0/24\n", i / 256, i % 256);
  return result;
}

auto many_routes(unsigned count) -> std::string {
  std::vector<test::UdrRoute> routes;
  for (unsigned i = 0; i < count; ++i)
    routes.push_back({fmt::format("20.{}.{}.0/24", i / 256, i % 256), "None"});
  return udr({.routes = routes});
}

auto many_tags(unsigned count) -> std::string {
  std::vector<test::UdrRoute> routes;
  for (unsigned i = 0; i < count; ++i)
    routes.push_back({fmt::format("AzureMonitor.Region{}", i), "None"});
  return udr({.routes = routes});
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
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

      {"400 routes", "table-too-long", {{"@onprem", "\"udr.json\","}}, {}, {{"udr.json", many_routes(400)}}},
      {"401 in a zone's file",
       "table-too-long",
       {{"@onprem", "\"udr.json\","}},
       {"udr.json: route table spoke-rt has 401 routes"},
       {{"udr.json", many_routes(401)}}},
      {"401 for a subnet",
       "table-too-long",
       {lan_udr},
       {"udr.json: route table spoke-rt has 401 routes"},
       {{"udr.json", many_routes(401)}}},
      {"no limit of the appliance's",
       "table-too-long",
       {{"@onprem", R"({ file = "p.txt", next_hop = "None" },)"}},
       {},
       {{"p.txt", prefix_lines(500)}}},

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

      {"in no subnet",
       "next-hop-not-connected",
       {{"10.0.1.20", "10.0.3.20"}},
       {"sekisho.toml:14: member 10.0.3.20 of next hop vnet-gateway is in no port's subnet"}},
      {"a port is not known here",
       "next-hop-not-connected",
       {{"10.0.1.20", "10.0.3.20"},
        {"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\"\n#"}},
       {}},

      {"all the same",
       "weight-without-effect",
       {{"[\"10.0.1.20\"]",
         "[{ address = \"10.0.1.20\", weight = 3 }, { address = \"10.0.1.21\", weight = 3 }]"}},
       {"sekisho.toml:14: all members of next hop vnet-gateway that take flows have weight 3"}},
      {"one is another's double",
       "weight-without-effect",
       {{"[\"10.0.1.20\"]", "[\"10.0.1.20\", { address = \"10.0.1.21\", weight = 2 }]"}},
       {}},

      {"nobody asks it",
       "arp-only",
       {{", probe = { type = \"tcp\", port = 443 }", ""}},
       {"sekisho.toml:10: next hop firewall has no probe: a dead member is never noticed there"}},
      {"the fabric's own router",
       "arp-only",
       {{"\"10.0.1.10\"], probe = { type = \"icmp\" }", "\"10.0.1.1\"]"}},
       {}},
      {"not on Azure",
       "arp-only",
       {{", probe = { type = \"tcp\", port = 443 }", ""},
        {"[azure]\ncloud = \"public\"\nservice_tags = \"tags.json\"", "#\n#\n#"}},
       {}},

      {"two behind a port",
       "one-path",
       {{"\"10.0.2.10\"", "\"10.0.2.10\", \"10.0.2.11\""}},
       {"sekisho.toml:10: members 10.0.2.10 and 10.0.2.11 of next hop firewall are both behind port egress"}},
      {"one behind each", "one-path", {{"\"10.0.2.10\"", "\"10.0.2.10\", \"10.0.1.30\""}}, {}},

      {"of a zone, and beside the appliance",
       "probe-inside",
       {{"port = 443", "through = [\"172.16.0.80:80\", \"10.0.2.80:80\", \"198.51.100.80:80\"]"}},
       {"sekisho.toml:10: probe target 172.16.0.80 of next hop firewall is in 172.16.0.0/12, a source of "
        "zone onprem",
        "sekisho.toml:10: probe target 10.0.2.80 of next hop firewall is in 10.0.0.0/16, a source of zone "
        "vnet"}},
      {"beyond", "probe-inside", {{"port = 443", "through = \"198.51.100.80:80\""}}, {}},

      {"an exception",
       "probe-elsewhere",
       {{"port = 443", "through = \"198.51.100.80:80\""},
        {"@onprem", R"({ prefix = "198.51.100.80/32", next_hop = "vnet-gateway" },)"}},
       {"sekisho.toml:10: zone onprem sends probe target 198.51.100.80 to vnet-gateway, not to firewall"}},
      {"the way of the traffic", "probe-elsewhere", {{"port = 443", "through = \"198.51.100.80:80\""}}, {}},

      {"contradicting, and slow",
       "probe-times",
       {{"port = 443", "port = 443, interval = \"5s\", hold = \"5s\""}},
       {"sekisho.toml:10: \"hold\" 5s of next hop firewall is over before \"up_after\" 3 answers have come, "
        "which "
        "takes 10s",
        "sekisho.toml:10: flows stay on a dead member of next hop firewall for up to 20050ms"}},
      {"no hold at all", "probe-times", {{"port = 443", "port = 443, hold = \"0s\""}}, {}},

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

      {"by its name",
       "refused",
       {{"via = \"firewall\"", "via = \"nobody\""}},
       {"sekisho.toml:16: there is no next hop \"nobody\""}},
      {"another rule's",
       "refused",
       {{"exit = { port = \"egress\" }", "#"},
        {"@vnet", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {}},
      {"a subnet's table",
       "refused",
       {egress_udr},
       {"udr.json: cannot be opened: No such file or directory"}},

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

      {"a table that names the appliance",
       "subnet-loop",
       {egress_udr},
       {"udr.json: route r0: zone onprem means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to 10.0.1.4, which is this appliance",
        "udr.json: route r0: zone vnet means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to 10.0.1.4, which is this appliance"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.4"}}})}}},
      {"its load balancer",
       "subnet-loop",
       {egress_udr, {"@azure", "own_addresses = [\"10.0.9.9\"]"}},
       {"udr.json: route r1: zone onprem means firewall for 128.0.0.0/1, and the subnet of port egress sends "
        "128.0.0.0/1 to 10.0.9.9, which is this appliance",
        "udr.json: route r1: zone vnet means firewall for 128.0.0.0/1, and the subnet of port egress sends "
        "128.0.0.0/1 "
        "to 10.0.9.9, which is this appliance"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/1", "VirtualAppliance", "10.0.2.10"},
                                     {"128.0.0.0/1", "VirtualAppliance", "10.0.9.9"}}})}}},
      {"a port by which that does not leave",
       "subnet-loop",
       {lan_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.1.4"}}})}}},

      {"past the firewall",
       "subnet-elsewhere",
       {egress_udr},
       {"udr.json: route r0: zone onprem means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to Internet",
        "udr.json: route r0: zone vnet means firewall for 0.0.0.0/1 and 1 more, and the subnet of port "
        "egress sends "
        "0.0.0.0/0 to Internet"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "Internet"}}})}}},
      {"one of its members",
       "subnet-elsewhere",
       {egress_udr},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"the fabric is asked",
       "subnet-elsewhere",
       {egress_udr, {"\"10.0.2.10\"", "\"10.0.2.1\""}},
       {},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.5.5"}}})}}},
      {"an exception that does not leave",
       "subnet-elsewhere",
       {egress_udr, {"@onprem", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {"udr.json: route r0: zone onprem means Internet for 20.0.0.0/16, and the subnet of port egress sends "
        "0.0.0.0/0 "
        "to 10.0.2.10"},
       {{"udr.json", udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}}})}}},
      {"an exception that does",
       "subnet-elsewhere",
       {egress_udr, {"@onprem", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {},
       {{"udr.json",
         udr({.routes = {{"0.0.0.0/0", "VirtualAppliance", "10.0.2.10"}, {"20.0.0.0/16", "Internet"}}})}}},
      {"a network behind the VNet's gateway",
       "subnet-elsewhere",
       {lan_udr},
       {},
       {{"udr.json",
         udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}, {"10.0.0.0/16", "VnetLocal"}}})}}},
      {"a network that is dropped",
       "subnet-elsewhere",
       {lan_udr},
       {"udr.json: route r0: zone internet means onprem-gateway for 172.16.0.0/12, and the subnet of port "
        "lan sends "
        "172.0.0.0/8 to None",
        "udr.json: route r0: zone vnet means onprem-gateway for 172.16.0.0/12, and the subnet of port lan "
        "sends "
        "172.0.0.0/8 to None"},
       {{"udr.json", udr({.routes = {{"172.0.0.0/8", "None"}}})}}},

      {"two tables",
       "several-subnet-tables",
       {lan_udr},
       {"udr.json: 2 route tables are in the file for the subnet of port lan"},
       {{"udr.json", "[" + udr({.name = "a", .routes = {}}) + "," + udr({.name = "b", .routes = {}}) + "]"}}},
      {"one", "several-subnet-tables", {lan_udr}, {}, {{"udr.json", udr({.routes = {}})}}},
      {"two tables of a zone",
       "several-subnet-tables",
       {{"@onprem", "\"udr.json\""}},
       {"udr.json: 2 route tables are in the file for zone onprem"},
       {{"udr.json", "[" + udr({.name = "a", .routes = {{"20.0.0.0/8", "None"}}}) + "," +
                         udr({.name = "b", .routes = {{"21.0.0.0/8", "None"}}}) + "]"}}},
      {"one of a zone",
       "several-subnet-tables",
       {{"@onprem", "\"udr.json\""}},
       {},
       {{"udr.json", udr({.routes = {{"20.0.0.0/8", "None"}}})}}},

      {"by a user route",
       "udr-to-expressroute",
       {lan_udr, gateway("expressroute")},
       {"udr.json: route r0: 172.16.0.0/12 goes to VirtualNetworkGateway, and [azure] names an ExpressRoute "
        "gateway"},
       {{"udr.json", udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}}})}}},
      {"a VPN gateway",
       "udr-to-expressroute",
       {lan_udr, gateway("vpn")},
       {},
       {{"udr.json", udr({.routes = {{"172.16.0.0/12", "VirtualNetworkGateway"}}})}}},

      {"nothing answers",
       "no-companion",
       {{"@lan", "companion = false"},
        {", probe = { type = \"icmp\" }", ""},
        {", probe = { type = \"icmp\" }", ""}},
       {"sekisho.toml:1: the kernel has no interface of port lan"}},
      {"an interface of another name", "no-companion", {{"@lan", "companion = \"tap0\""}}, {}},

      {"one is not here",
       "no-interface",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {"sekisho.toml:1: port lan: there is no interface lan0"},
       {},
       {"eth0", "egress0"}},
      {"it is here",
       "no-interface",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {},
       {},
       {"lan0"}},
      {"an end of a pair",
       "vlan-tags-unseen",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:veth0\""}},
       {"sekisho.toml:1: port lan is an end of a veth pair"},
       {},
       {"veth0", "egress0"}},
      {"another kind of interface",
       "vlan-tags-unseen",
       {{"device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]", "device = \"af_xdp:lan0\""}},
       {},
       {},
       {"lan0", "veth0"}},
      {"configured",
       "mtu-differs",
       {{"@lan", "mtu = 1400"}, {"@egress", "mtu = 1500"}},
       {"sekisho.toml:1: port lan has an MTU of 1400, and port egress of 1500"}},
      {"one that is not known", "mtu-differs", {{"@lan", "mtu = 1400"}}, {}},

      {"1501", "mtu-above-1500", {{"@lan", "mtu = 1501"}}, {"sekisho.toml:1: port lan has an MTU of 1501"}},
      {"1500", "mtu-above-1500", {{"@lan", "mtu = 1500"}}, {}},

      {"routes that only who deploys the template knows",
       "file-error",
       {lan_udr},
       {"udr.json: $.resources[0].properties.routes: the routes of this table are left out: "
        "\"[parameters('routes')]\" is "
        "known to a deployment only (the parameter has no defaultValue)"},
       {{"udr.json",
         R"({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                        "contentVersion": "1.0.0.0", "parameters": {"routes": {"type": "array"}}, "resources": [
                        {"type": "Microsoft.Network/routeTables", "apiVersion": "2023-04-01", "name": "rt",
                         "properties": {"routes": "[parameters('routes')]"}}]})"}}},
      {"all known", "file-error", {lan_udr}, {}, {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
      {"a property that nobody knows",
       "file-warning",
       {lan_udr},
       {"udr.json: $.colour: a route table has a property that is not known; it is ignored, here and in "
        "others"},
       {{"udr.json",
         R"({"name": "rt", "disableBgpRoutePropagation": false, "routes": [], "colour": "blue"})"}}},
      {"all known",
       "file-warning",
       {lan_udr},
       {},
       {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
      {"hasBgpOverride",
       "file-note",
       {lan_udr},
       {"udr.json: $.routes[0].hasBgpOverride: hasBgpOverride does nothing, here and in other routes: the "
        "longest "
        "prefix goes first"},
       {{"udr.json", R"({"name": "rt", "disableBgpRoutePropagation": false, "routes": [{"name": "r0",
                        "addressPrefix": "20.0.0.0/16", "nextHopType": "None", "hasBgpOverride": true}]})"}}},
      {"all known", "file-note", {lan_udr}, {}, {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
  };
  return all;
}

TEST(Check, NoRuleFindsAnythingInAGoodConfiguration) {
  const Folder folder;
  for (const auto& finding : folder.check(configuration({}), {}))
    ADD_FAILURE() << finding.rule->name << ": " << folder.shorten(finding.offence.where) << ": "
                  << finding.offence.what;
}

TEST(Check, EachRuleFindsWhatItIsForAndNothingElse) {
  for (const auto& test : cases()) {
    const Folder folder;
    EXPECT_EQ(folder.lines(folder.check(configuration(test.edits), test.files, test.interfaces), test.rule),
              test.expected)
        << test.rule << ": " << test.why;
  }
}

TEST(Check, EveryRuleHasACaseThatTriggersItAndOneThatDoesNot) {
  std::set<std::string_view> triggered;
  std::set<std::string_view> silent;
  for (const auto& test : cases())
    (test.expected.empty() ? silent : triggered).insert(test.rule);
  std::set<std::string_view> names;
  for (const auto* rule : rules()) {
    EXPECT_TRUE(names.insert(rule->name).second) << rule->name;
    EXPECT_TRUE(triggered.contains(rule->name)) << rule->name;
    EXPECT_TRUE(silent.contains(rule->name)) << rule->name;
    EXPECT_TRUE(rule->why.ends_with('.') && rule->remedy.ends_with('.')) << rule->name;
  }
  for (const auto name : triggered)
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Check, TheGravestFirst) {
  const Folder folder;
  const auto findings =
      folder.check(configuration({{"@lan", "mtu = 9000"},
                                  {"[\"0.0.0.0/0\"]", "[\"0.0.0.0/0\", \"10.0.2.0/24\"]"},
                                  {"@onprem", R"({ prefix = "168.63.129.16/32", next_hop = "firewall" },)"}}),
                   {});
  Lines order;
  for (const auto& finding : findings)
    order.push_back(fmt::format("{} {}", to_string(finding.rule->severity), finding.rule->name));
  EXPECT_EQ(order, (Lines{"error host-address-captured", "warning mtu-above-1500", "note sources-overlap"}));
}

TEST(Check, WhatTheKernelSaysOfAnInterfaceCounts) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("sekisho.toml", R"([port.lan]
device = "af_xdp:lan0"
[next_hop.near]
members = ["10.0.1.10"]
[next_hop.far]
members = ["10.0.9.10"]
[zone.lan]
port = ["lan"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "10.0.0.0/8", next_hop = "near" }]
)");
  const auto policy = policy::read(file);
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto found_with = [&](const netlink::Mirror* mirror) {
    Lines result;
    for (const auto& finding : check::check(*gather(*policy, mirror)))
      result.push_back(finding.offence.what);
    return result;
  };
  EXPECT_EQ(found_with(nullptr), Lines{});
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "lan0"};
  mirror.addresses[3] = {{10U << 24 | 1U << 8 | 4, 24}};
  EXPECT_EQ(found_with(&mirror), (Lines{"member 10.0.9.10 of next hop far is in no port's subnet"}));
}

// The interfaces of this machine.
TEST(Check, InterfacesAreLookedFor) {
  const test::TemporaryFolder folder;
  const auto policy = policy::read(folder.write("sekisho.toml", R"(
[port.egress]
device = "af_xdp:egress0"
[port.lan]
device = "af_xdp:lan0"
[zone.all]
port = ["egress", "lan"]
sources = ["0.0.0.0/0"]
connected = true
)"));
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto found_with = [&](const netlink::Mirror* mirror) {
    Lines result;
    for (const auto& finding : check::check(*gather(*policy, mirror)))
      result.push_back(fmt::format("{} in line {}: {}", finding.rule->name,
                                   finding.offence.where.substr(finding.offence.where.rfind(':') + 1),
                                   finding.offence.what));
    return result;
  };
  EXPECT_EQ(found_with(nullptr), Lines{}) << "nothing is known";
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "lan0", .mtu = 1500};
  EXPECT_EQ(found_with(&mirror),
            (Lines{"no-interface in line 2: port egress: there is no interface egress0"}));
  mirror.links[4] = {.index = 4, .name = "egress0", .mtu = 1400};
  EXPECT_EQ(found_with(&mirror),
            (Lines{"mtu-differs in line 4: port lan has an MTU of 1500, and port egress of 1400"}));
  mirror.links[4].mtu = 1500;
  EXPECT_EQ(found_with(&mirror), Lines{});
  mirror.links[3].kind = "bond";
  mirror.links[4].kind = "veth";
  EXPECT_EQ(found_with(&mirror), (Lines{"vlan-tags-unseen in line 2: port egress is an end of a veth pair"}));
}

TEST(Check, RouteTablesWithoutAConfiguration) {
  const Folder folder;
  const auto findings = folder.check_alone(
      {{"a.json", udr({.routes = {{"0.0.0.0/1", "Internet"}, {"168.63.129.16/32", "Internet"}}})},
       {"b.txt", "23.97.0.13/32 Internet\n"},
       {"c.json", many_routes(401)}},
      {.files = {}, .service_tags = {}, .cloud = "public"});
  Lines found;
  for (const auto& finding : findings)
    found.push_back(folder.shorten(
        fmt::format("{} {}: {}", finding.rule->name, finding.offence.where, finding.offence.what)));
  EXPECT_EQ(found, (Lines{"host-address-captured a.json: route r1: a.json sends 168.63.129.16 to Internet",
                          "one-half a.json: route r0: 0.0.0.0/1 stands in a.json without 128.0.0.0/1",
                          "kms-incomplete b.txt:1: b.txt sends 23.97.0.13 to Internet, but not 52.126.105.2",
                          "kms-of-another-cloud b.txt:1: b.txt has exceptions for the key management servers "
                          "of cloud usgov, and this is public",
                          "table-too-long c.json: route table spoke-rt has 401 routes"}));
}

TEST(Check, ATagThatNoFileExplainsIsLeftAlone) {
  const Folder folder;
  const Files files{{"a.json", udr({.routes = {{"AzureCloud", "Internet"}}})}};
  EXPECT_TRUE(folder.check_alone(files, {}).empty());
}

TEST(Check, AnUnreadableFileIsRefused) {
  const Folder folder;
  const auto none =
      gather(FilesAlone{.files = {folder.path() / "none.json"}, .service_tags = {}, .cloud = {}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().file, folder.path() / "none.json");
  EXPECT_FALSE(gather(FilesAlone{.files = {}, .service_tags = folder.path() / "none.json", .cloud = {}}));
}

TEST(Check, TheShippedExampleHasNoErrorsAndNoWarnings) {
  const auto policy = policy::read(std::filesystem::path{SEKISHO_EXAMPLES} / "halves.toml");
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto facts = gather(*policy, nullptr);
  ASSERT_TRUE(facts);
  for (const auto& finding : check::check(*facts))
    EXPECT_EQ(finding.rule->severity, Severity::note) << finding.rule->name << ": " << finding.offence.what;
}

}  // namespace
}  // namespace sekisho::check
