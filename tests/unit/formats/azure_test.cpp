// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/format.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/real_data.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

auto fixture(const std::string& name) -> std::filesystem::path {
  return std::filesystem::path{SEKISHO_FIXTURES} / "azure" / name;
}

auto addresses(const NextHop& next_hop) -> std::string {
  std::string list;
  for (const auto address : next_hop.addresses)
    list += (list.empty() ? " " : ",") + base::address_to_string(address);
  return list;
}

// "LABEL PREFIX TYPE ADDRESSES"; a service tag stands where the prefix would.
auto azure_routes(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  const auto add = [&](std::uint32_t label, const std::string& to, std::uint32_t next_hop) {
    const auto& hop = file.next_hops.at(next_hop);
    result.push_back(file.labels.at(label) + " " + to + " " + std::string{route::to_string(hop.type)} +
                     addresses(hop));
  };
  for (const auto& route : file.routes)
    add(route.label, base::to_string(route.prefix), route.next_hop);
  for (const auto& route : file.tag_routes)
    add(route.label, route.tag, route.next_hop);
  return result;
}

// With all of its tables.
auto read_all(const std::filesystem::path& file) -> Reading {
  return read_content(file).and_then([&](const std::string& bytes) { return parse_routes(bytes, file); });
}

// "NAME ROUTES TAGS bgp|-"
auto azure_tables(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& table : file.tables)
    result.push_back(table.name + " " + std::to_string(table.routes) + " " + std::to_string(table.tags) +
                     (table.takes_bgp ? " bgp" : " -"));
  return result;
}

// "severity path: reason"
auto azure_findings(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& finding : file.findings)
    result.push_back(std::to_string(static_cast<int>(finding.severity)) + " " + finding.where.path + ": " +
                     finding.where.reason);
  return result;
}

TEST(Azure, ReadsARouteTableOfAz) {
  const auto file = read_all(fixture("route-table-az.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->format, Format::route_table);
  EXPECT_THAT(azure_routes(*file),
              ElementsAre("default 0.0.0.0/0 VirtualAppliance 10.0.2.4", "kms 192.0.2.224/32 Internet",
                          "nowhere 198.51.100.0/24 None", "monitor AzureMonitor Internet"));
  EXPECT_THAT(azure_tables(*file), ElementsAre("spoke-udr 4 1 -"));
  EXPECT_EQ(file->tag_routes.at(0).path, "$.routes[2]");
  EXPECT_EQ(file->ipv6, 1U);
  EXPECT_THAT(azure_findings(*file), IsEmpty());
  for (const auto& route : file->routes)
    EXPECT_EQ(route.origin, route::Origin::user);
}

TEST(Azure, ReadsAListOfRest) {
  const auto file = read_all(fixture("route-tables-rest.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_routes(*file),
              ElementsAre("a 10.0.3.0/24 VirtualNetworkGateway",
                          "b 10.0.4.0/24 VirtualApplianceEcmp 10.0.2.4,10.0.2.5", "a 10.0.0.0/16 VnetLocal"));
  EXPECT_THAT(azure_tables(*file), ElementsAre("onprem 2 0 bgp", "empty 0 0 bgp", "local 1 0 bgp"));
}

TEST(Azure, ReadsTheEffectiveRoutesThatAreInForce) {
  const auto file = read_all(fixture("effective-routes.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->format, Format::effective_routes);
  EXPECT_THAT(azure_routes(*file),
              ElementsAre(" 10.0.0.0/16 VnetLocal", " 10.8.0.0/16 VNetPeering", " 10.9.0.0/16 VNetPeering",
                          "default 0.0.0.0/0 VirtualAppliance 10.0.2.4", "monitor 192.0.2.0/24 Internet",
                          "both 198.51.100.0/24 VirtualApplianceEcmp 10.0.2.4,10.0.2.5",
                          " 203.0.113.0/28 VirtualNetworkServiceEndpoint", " 100.64.0.0/10 None"));
  using route::Origin;
  const std::vector<Origin> origins{Origin::vnet,     Origin::vnet, Origin::vnet, Origin::user,
                                    Origin::user_tag, Origin::user, Origin::vnet, Origin::system};
  ASSERT_EQ(file->routes.size(), origins.size());
  for (std::size_t i = 0; i < origins.size(); ++i)
    EXPECT_EQ(file->routes[i].origin, origins[i]) << i;
  ASSERT_EQ(file->invalid.size(), 2U) << "both defaults that the user's overrides";
  EXPECT_EQ(file->invalid[0].origin, Origin::system);
  EXPECT_EQ(file->invalid[1].origin, Origin::bgp);
  EXPECT_EQ(file->ipv6, 1U);
}

// A user's route as short as the VNet's prefix overrides a private endpoint's /32. Who follows the /32 all the same passes by the
// firewall.
TEST(Azure, WhatIsInvalidIsShownAndNotFollowed) {
  const auto file = parse_document(R"([
{"addressPrefix": ["10.0.0.0/16"], "nextHopIpAddress": [], "nextHopType": "VNetPeering", "source": "Default", "state": "Invalid"},
{"addressPrefix": ["10.0.0.0/16"], "nextHopIpAddress": ["10.0.1.4"], "nextHopType": "VirtualAppliance", "source": "User", "state": "Active"},
{"addressPrefix": ["10.0.2.5/32"], "nextHopIpAddress": [], "nextHopType": "InterfaceEndpoint", "source": "Default", "state": "Invalid"}
])",
                                   "effective.json");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_routes(*file), ElementsAre(" 10.0.0.0/16 VirtualAppliance 10.0.1.4"));
  ASSERT_EQ(file->invalid.size(), 2U);
  EXPECT_EQ(to_string(file->invalid[1].prefix), "10.0.2.5/32");
}

// One row of an appliance that does not run, or of a type that Azure has invented since, and the rest of the table counts.
TEST(Azure, AnEffectiveRouteToNowhereDrops) {
  const auto file = parse_document(R"([
{"addressPrefix": ["10.1.0.0/16"], "nextHopIpAddress": [], "nextHopType": "VirtualAppliance", "source": "User", "state": "Active"},
{"addressPrefix": ["10.2.0.0/16"], "nextHopIpAddress": [], "nextHopType": "Teleport", "source": "User", "state": "Active"},
{"addressPrefix": ["10.3.0.0/16"], "nextHopIpAddress": ["10.0.1.4"], "nextHopType": "VirtualAppliance", "source": "User", "state": "Active"}
])",
                                   "effective.json");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_routes(*file), ElementsAre(" 10.1.0.0/16 None", " 10.2.0.0/16 None",
                                               " 10.3.0.0/16 VirtualAppliance 10.0.1.4"));
  EXPECT_THAT(azure_findings(*file), ElementsAre(HasSubstr("the appliance is not running"),
                                                 HasSubstr("\"Teleport\" is not a next-hop type")));
}

// A pair of appliances that both advertise the halves, as `az network nic show-effective-route-table` has it in each of them.
TEST(Azure, RowsOfOneLearnedRouteAreItsNextHops) {
  const auto row = [](std::string_view source, std::string_view type, std::string_view prefix,
                      std::string_view address) {
    return fmt::format(
        R"({{"source": "{}", "state": "Active", "addressPrefix": ["{}"], "nextHopType": "{}", "nextHopIpAddress": ["{}"]}})",
        source, prefix, type, address);
  };
  constexpr std::string_view gateway = "VirtualNetworkGateway";
  const auto file = parse_document(
      fmt::format("[{}]", fmt::join(std::vector{row(gateway, gateway, "0.0.0.0/1", "10.1.0.6"),
                                                row(gateway, gateway, "128.0.0.0/1", "10.1.0.7"),
                                                row(gateway, gateway, "0.0.0.0/1", "10.1.0.7"),
                                                row(gateway, gateway, "128.0.0.0/1", "10.1.0.7"),
                                                row(gateway, "VirtualAppliance", "10.0.0.0/8", "10.1.0.6"),
                                                row(gateway, "VirtualAppliance", "10.0.0.0/8", "10.1.0.7"),
                                                row("User", "VirtualAppliance", "0.0.0.0/1", "10.1.0.8"),
                                                row("User", "VirtualAppliance", "0.0.0.0/1", "10.1.0.9")},
                                    ",")),
      "effective.json");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_routes(*file),
              ElementsAre(" 0.0.0.0/1 VirtualNetworkGateway 10.1.0.6,10.1.0.7",
                          " 128.0.0.0/1 VirtualNetworkGateway 10.1.0.7",
                          " 10.0.0.0/8 VirtualApplianceEcmp 10.1.0.6,10.1.0.7",
                          " 0.0.0.0/1 VirtualAppliance 10.1.0.8", " 0.0.0.0/1 VirtualAppliance 10.1.0.9"));
}

TEST(Azure, ReadsATemplate) {
  const auto file = read_all(fixture("template.json"));
  ASSERT_TRUE(file) << file.error().to_string();
  // "onprem" stands inline and as a child, as the portal exports it: one route. "desktop-udr" comes of expressions.
  EXPECT_THAT(azure_routes(*file),
              UnorderedElementsAre("onprem 172.16.0.0/12 VirtualNetworkGateway", "extra 192.168.0.0/16 None",
                                   "kms-0 192.0.2.1/32 Internet", "kms-1 192.0.2.2/32 Internet",
                                   "nested 10.1.0.0/16 VnetLocal", "kms 192.0.2.224/32 Internet",
                                   "desktop WindowsVirtualDesktop Internet"));
  EXPECT_THAT(azure_tables(*file), ElementsAre("hub-udr 2 0 bgp", "looped 3 0 bgp", "desktop-udr 2 1 -"));
  EXPECT_THAT(
      azure_findings(*file),
      UnorderedElementsAre(
          HasSubstr("0 $.parameters.table: "), HasSubstr("0 $.parameters.create: "),
          HasSubstr("0 $.parameters.kms: "), HasSubstr("0 $.parameters.custom: "),
          HasSubstr("1 $: route tables depend on the cloud"),
          "2 $.resources[2].properties.routes[1].properties.nextHopIpAddress: route \"default\" to "
          "\"0.0.0.0/0\" is "
          "left out: \"[parameters('firewall')]\" is known to a deployment only (the parameter has no "
          "defaultValue)",
          HasSubstr("0 $.resources[4].properties.template.resources.table.properties.routes[0].properties."
                    "hasBgpOverride: "),
          HasSubstr("0 $.resources[5].condition: its condition is false")));
}

struct AzureAccepted {
  std::string why;
  std::string json;
  std::vector<std::string> routes;
};

// As the only member of a route table.
auto in_table(const std::string& route) -> std::string {
  return R"({"name": "t", "routes": [)" + route + "]}";
}
// As the only table of a template that has a few values to ask for.
auto in_template(const std::string& route) -> std::string {
  return R"({"parameters": {"p": {"defaultValue": "10.0.0.0/8"}, "q": {}},
             "variables": {"v": "11.0.0.0/8", "w": "[parameters('P')]", "o": {"a": ["12.0.0.0/8"]},
                           "loop": "[variables('loop')]",
                           "copy": [{"name": "c", "count": 2, "input": "[format('{0}.0.0.0/8', copyIndex('c', 20))]"}]},
             "resources": [{"type": "Microsoft.Network/routeTables", "name": "t",
                            "properties": {"routes": )" +
         route + "}}]}";
}
// The route whose prefix an expression gives.
auto to(const std::string& expression) -> std::string {
  return in_template(R"([{"name": "r", "properties": {"addressPrefix": ")" + expression +
                     R"(", "nextHopType": "None"}}])");
}

TEST(Azure, Accepts) {
  const std::vector<AzureAccepted> cases{
      {"names and types without regard to case",
       R"({"ROUTES": [{"Name": "r", "ADDRESSPREFIX": "10.0.0.0/8", "NextHopTYPE": "vnetLOCAL"}]})",
       {"r 10.0.0.0/8 VnetLocal"}},
      {"a byte order mark",
       "\xef\xbb\xbf" + in_table(R"({"addressPrefix": "10.0.0.0/8", "nextHopType": "none"})"),
       {" 10.0.0.0/8 None"}},
      {"a list of routes",
       R"([{"name": "r", "addressPrefix": "10.0.0.0/8", "nextHopType": "None"}])",
       {"r 10.0.0.0/8 None"}},
      {"one route",
       R"({"name": "r", "properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}})",
       {"r 10.0.0.0/8 None"}},
      {"a table without routes", R"({"type": "microsoft.network/ROUTETABLES", "name": "t"})", {}},
      {"an empty list", "[]", {}},
      {"an empty object", "{}", {}},
      {"null is as good as nothing",
       R"({"name": null, "routes": [{"addressPrefix": "10.0.0.0/8", "nextHopType": "None", "nextHop": null}]})",
       {" 10.0.0.0/8 None"}},
      {"a variable", to("[variables('v')]"), {"r 11.0.0.0/8 None"}},
      {"a variable that is a parameter", to("[variables('w')]"), {"r 10.0.0.0/8 None"}},
      {"members and elements", to("[variables('o').a[0]]"), {"r 12.0.0.0/8 None"}},
      {"members by name", to("[variables('o')['A'][length(createArray())]]"), {"r 12.0.0.0/8 None"}},
      {"concat", to("[concat('10.0.0.0', '/', '8')]"), {"r 10.0.0.0/8 None"}},
      {"format", to("[format('{0}.{1}.0.0/{2}', 10, '1', 16)]"), {"r 10.1.0.0/16 None"}},
      {"a loop of variables", to("[variables('c')[1]]"), {"r 21.0.0.0/8 None"}},
      {"equals heeds case", to("[if(equals('a', 'A'), '1.0.0.0/8', '2.0.0.0/8')]"), {"r 2.0.0.0/8 None"}},
      {"logic",
       to("[if(and(true(), or(false(), not(empty('x')))), '1.0.0.0/8', '2.0.0.0/8')]"),
       {"r 1.0.0.0/8 None"}},
      {"the branch that is not taken asks nothing",
       to("[if(true(), '1.0.0.0/8', if(parameters('q'), parameters('q'), guid('x')))]"),
       {"r 1.0.0.0/8 None"}},
      {"coalesce", to("[coalesce(null(), '1.0.0.0/8')]"), {"r 1.0.0.0/8 None"}},
      {"known beside unknown",
       in_template(R"("[union(createArray(createObject('addressPrefix', '1.0.0.0/8', 'nextHopType', 'None')),
                              parameters('q'))]")"),
       {" 1.0.0.0/8 None"}},
      {"union takes each once",
       in_template(R"("[union(createArray(createObject('addressPrefix', '1.0.0.0/8', 'nextHopType', 'None')),
                              createArray(createObject('addressPrefix', '1.0.0.0/8', 'nextHopType', 'None')))]")"),
       {" 1.0.0.0/8 None"}},
  };
  for (const auto& test : cases) {
    // A literal goes on behind a line's end; JSON's string must not.
    auto json = std::regex_replace(test.json, std::regex{"\n +"}, " ");
    const auto file = parse_document(json, "x.json");
    ASSERT_TRUE(file) << test.why << ": " << file.error().to_string();
    EXPECT_EQ(azure_routes(*file), test.routes) << test.why;
  }
}

struct Unknown {
  std::string why;
  std::string json;
  std::string finding;
};

// What cannot be known is left out, and a finding of severity error says so; nothing else is left out with it.
TEST(Azure, NamesWhatOnlyADeploymentKnows) {
  const std::string place = "2 $.resources[0].properties.routes";
  const std::vector<Unknown> cases{
      {"a parameter without a default", to("[parameters('q')]"), "the parameter has no defaultValue"},
      {"no parameter", to("[parameters('none')]"), "there is no such parameter"},
      {"no variable", to("[variables('none')]"), "there is no such variable"},
      {"a variable that is itself", to("[variables('loop')]"), "too much to work out"},
      {"a function of Azure's", to("[reference('x').prefix]"),
       "is known to a deployment only (reference() asks the deployment)"},
      {"no member", to("[variables('o').b]"), "there is no \"b\""},
      {"no element", to("[variables('o').a[1]]"), "there is no element 1"},
      {"half an expression", to("[concat('a']"), "it is malformed"},
      {"more than an expression", to("[concat('a') x]"), "it is malformed"},
      {"no loop", to("[copyIndex()]"), "there is no such copy loop"},
      {"a condition", to("[if(parameters('q'), '1.0.0.0/8', '2.0.0.0/8')]"),
       "the parameter has no defaultValue"},
      {"nesting without end", to("[" + std::string(4000, 'x') + "]"), "it is malformed"},
      {"functions without end",
       [] {
         std::string text = "'1.0.0.0/8'";
         for (int i = 0; i < 1000; ++i)
           text = "concat(" + text + ")";
         return to("[" + text + "]");
       }(),
       "too much to work out"},
      {"all routes", in_template(R"("[parameters('q')]")"), "the routes of this table are left out"},
      {"one of the routes", in_template(R"(["[parameters('q')]"])"), "one or more routes are left out"},
      {"a loop",
       R"({"parameters": {"q": {}}, "resources": [{"type": "Microsoft.Network/routeTables", "name": "t",
          "properties": {"copy": [{"name": "routes", "count": "[parameters('q')]", "input": 1}]}}]})",
       "the routes of this table are left out"},
  };
  for (const auto& test : cases) {
    const auto file = parse_document(test.json, "x.json");
    ASSERT_TRUE(file) << test.why << ": " << file.error().to_string();
    EXPECT_THAT(azure_routes(*file), IsEmpty()) << test.why;
    EXPECT_THAT(azure_findings(*file),
                testing::Contains(testing::AllOf(testing::StartsWith(place), HasSubstr(test.finding))))
        << test.why;
  }
}

struct AzureRefused {
  std::string why;
  std::string json;
  std::string error;
};

TEST(Azure, Refuses) {
  const auto route = [](const std::string& members) { return in_table(R"({"name": "r", )" + members + "}"); };
  const auto appliance = [&](const std::string& more) {
    return route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualAppliance")" + more);
  };
  const auto ecmp = [&](const std::string& list) {
    return route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualApplianceEcmp", "nextHop": )" +
                 list);
  };
  const auto effective = [](const std::string& members) {
    return R"({"value": [{"source": "User", "state": "Active", )" + members + "}]}";
  };
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += (i == 0 ? "\"10.0.0." : ", \"10.0.0.") + std::to_string(i) + "\"";

  const std::vector<AzureRefused> cases{
      {"no JSON", "{\n\"a\": x", "x.json:2: invalid JSON: "},
      {"an end too early", "[1, ", "x.json:1: invalid JSON: "},
      {"more behind", "{} {}", "x.json:1: invalid JSON: "},
      {"nested without end", std::string(1 << 20, '['), "is nested more than 200 deep"},
      {"a member twice", R"({"routes": [{"name": 1, "name": 2}]})", "$.routes[0].name: duplicate member"},
      {"a member twice but for case", in_table(R"({"name": "r", "Name": "s"})"),
       "$.routes[0].name: says the same as"},
      {"a member twice, once in properties", in_table(R"({"addressPrefix": "1.0.0.0/8",
        "properties": {"addressPrefix": "2.0.0.0/8"}})"),
       "$.routes[0].properties.addressPrefix: says the same as"},
      {"nothing of Azure's", R"({"x": 1})", "$: is in none of the formats that are read"},
      {"a number", "1", "$: is a number where an object is expected"},
      {"a list of something else", "[1]", "$: is in none of the formats that are read"},
      {"a list that goes on", R"({"value": [], "nextLink": "https://x"})", "$.nextLink: the list goes on"},
      {"a list that is none", R"({"value": 1})", "$.value: is a number where an array is expected"},
      {"routes that are no list", R"({"routes": {}})", "$.routes: is an object where an array is expected"},
      {"a route that is no object", in_table("1"), "$.routes[0]: is a number where an object is expected"},
      {"properties that are none", in_table(R"({"properties": 1})"), "$.routes[0].properties: is a number"},
      {"a flag that is none", R"({"routes": [], "disableBgpRoutePropagation": "no"})",
       "$.disableBgpRoutePropagation: is a string where true or false is expected"},
      {"a name that is none", in_table(R"({"name": 1})"), "$.routes[0].name: is a number where a string"},
      {"no prefix", route(R"("nextHopType": "None")"), "$.routes[0]: route \"r\": addressPrefix is missing"},
      {"a prefix that is a number", route(R"("addressPrefix": 10, "nextHopType": "None")"),
       "$.routes[0].addressPrefix: is a number"},
      {"host bits", route(R"("addressPrefix": "10.0.0.1/8", "nextHopType": "None")"),
       "$.routes[0].addressPrefix: route \"r\": host bits are set (10.0.0.1/8; did you mean 10.0.0.0/8?)"},
      {"an address", route(R"("addressPrefix": "10.0.0.1", "nextHopType": "None")"),
       "the prefix length is missing"},
      {"a length too long", route(R"("addressPrefix": "10.0.0.0/33", "nextHopType": "None")"),
       "prefix length"},
      {"neither prefix nor tag", route(R"("addressPrefix": "a b", "nextHopType": "None")"),
       "\"a b\" is neither a prefix nor a service tag's name"},
      {"an expression outside of a template",
       route(R"("addressPrefix": "[parameters('x')]", "nextHopType": "None")"),
       "is neither a prefix nor a service tag's name"},
      {"a bad IPv6 prefix", route(R"("addressPrefix": "2001:db8::/129", "nextHopType": "None")"),
       "is not an IPv6 prefix"},
      {"no type", route(R"("addressPrefix": "10.0.0.0/8")"), "route \"r\": nextHopType is missing"},
      {"an unknown type", route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualAplliance")"),
       "$.routes[0].nextHopType: route \"r\": \"VirtualAplliance\" is not an Azure next-hop type; did you "
       "mean "
       "\"VirtualAppliance\"?"},
      {"a type of effective routes", route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "VNetPeering")"),
       "route \"r\": VNetPeering is a next hop that Azure makes"},
      {"an appliance without address", appliance(""), "$.routes[0]: route \"r\": a VirtualAppliance needs"},
      {"an appliance with an empty address", appliance(R"(, "nextHopIpAddress": "")"),
       "a VirtualAppliance needs"},
      {"an appliance with IPv6", appliance(R"(, "nextHopIpAddress": "fd00::1")"),
       "$.routes[0].nextHopIpAddress: route \"r\": fd00::1 is an IPv6 address"},
      {"an appliance with no address at all", appliance(R"(, "nextHopIpAddress": "fw")"),
       "is not an IPv4 address"},
      {"an appliance with several", appliance(R"(, "nextHopIpAddress": "10.0.0.1",
        "nextHop": {"nextHopIpAddresses": []})"),
       "only a VirtualApplianceEcmp has a nextHop"},
      {"an address without an appliance",
       route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "Internet", "nextHopIpAddress": "10.0.0.1")"),
       "only a VirtualAppliance has a nextHopIpAddress"},
      {"ECMP without next hops",
       route(R"("addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualApplianceEcmp")"),
       "nextHop with 2 to 64 nextHopIpAddresses is missing"},
      {"ECMP with one", ecmp(R"({"nextHopIpAddresses": ["10.0.0.1"]})"),
       "$.routes[0].nextHop.nextHopIpAddresses: route \"r\": a VirtualApplianceEcmp needs 2 next hops or "
       "more"},
      {"ECMP with 65", ecmp(R"({"nextHopIpAddresses": [)" + many + "]}"),
       "$.routes[0].nextHop.nextHopIpAddresses[64]: more than 64 next hops"},
      {"ECMP with one twice", ecmp(R"({"nextHopIpAddresses": ["10.0.0.1", "10.0.0.1"]})"),
       "nextHopIpAddresses[1]: duplicate next hop 10.0.0.1"},
      {"ECMP with IPv6", ecmp(R"({"nextHopIpAddresses": ["::1", "10.0.0.1"]})"), "::1 is an IPv6 address"},
      {"ECMP with a number", ecmp(R"({"nextHopIpAddresses": [1, 2]})"),
       "is a number where an address is expected"},
      {"ECMP with an object", ecmp(R"({"nextHopIpAddresses": {}})"), "nextHopIpAddresses is not an array"},
      {"ECMP with a text", ecmp("\"10.0.0.1\""), "$.routes[0].nextHop: is a string where an object"},
      {"a name twice", in_table(R"({"name": "r", "addressPrefix": "10.0.0.0/8", "nextHopType": "None"},
        {"name": "R", "addressPrefix": "10.0.0.0/8", "nextHopType": "None"})"),
       "$.routes[1].name: the table \"t\" has two routes \"R\""},
      {"a child that says something else than the table", R"({"resources": [
        {"type": "Microsoft.Network/routeTables", "name": "t", "properties": {"routes": [
          {"name": "r", "properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}}]}},
        {"type": "Microsoft.Network/routeTables/routes", "name": "t/r",
         "properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "Internet"}}]})",
       "$.resources[1].name: the table \"t\" has two routes \"r\""},
      {"a child without a table",
       R"({"resources": [{"type": "Microsoft.Network/routeTables/routes", "name": "r",
         "properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}}]})",
       "$.resources[0]: the name \"r\" is not \"TABLE/ROUTE\""},
      {"a resource without a type", R"({"resources": [{"name": "r"}]})",
       "$.resources[0]: is a resource without a type"},
      {"resources that are none", R"({"resources": 1})",
       "$.resources: is a number where resources are expected"},
      {"a copy loop that is none", R"({"resources": [{"type": "Microsoft.Network/routeTables", "name": "t",
         "copy": {"count": 801}}]})",
       "$.resources[0].copy: is a copy loop whose count is not a number up to 800"},
      {"a template that costs too much", R"({"resources": [{"type": "Microsoft.Network/routeTables",
         "name": "[variables('v')]"}], "variables": {"v": "[createArray(variables('v'), variables('v'))]"}})",
       "$: its expressions are too much to work out"},
      {"no state", R"({"value": [{"source": "User"}]})", "$.value[0]: the state of an effective route"},
      {"another state", R"({"value": [{"source": "User", "state": "Up"}]})",
       "$.value[0].state: the state of"},
      {"another source", R"({"value": [{"source": "Me", "state": "Active", "nextHopType": "None"}]})",
       "$.value[0].source: the source of an effective route is"},
      {"an effective route without prefixes", effective(R"("nextHopType": "None", "addressPrefix": [])"),
       "$.value[0].addressPrefix: addressPrefix is not an array of at least one prefix"},
      {"an effective route with host bits",
       effective(R"("nextHopType": "None", "addressPrefix": ["10.0.0.1/8"])"),
       "$.value[0].addressPrefix[0]: host bits are set"},
      {"an effective system route to a tag", R"({"value": [{"source": "Default", "state": "Active",
        "nextHopType": "None", "addressPrefix": ["Storage"]}]})",
       "only a User route has a service tag"},
  };
  for (const auto& test : cases) {
    const auto file = parse_document(test.json, "x.json");
    ASSERT_FALSE(file) << test.why;
    EXPECT_THAT(file.error().to_string(), HasSubstr(test.error)) << test.why;
  }
}

TEST(Azure, UnknownPropertiesAreFindingsOnce) {
  const auto file = parse_document(R"({"routes": [
      {"name": "a", "etag": "x", "addressPrefix": "10.0.0.0/8", "nextHopType": "None", "weight": 1},
      {"name": "b", "id": "x", "addressPrefix": "11.0.0.0/8", "nextHopType": "None", "Weight": 2}], "colour": "red"})",
                                   "x.json");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_findings(*file), ElementsAre(HasSubstr("1 $.colour: a route table has a property"),
                                                 HasSubstr("1 $.routes[0].weight: a route has a property")));
}

TEST(Azure, ATemplateElsewhereIsAFinding) {
  const auto file = parse_document(R"({"resources": [{"type": "Microsoft.Resources/deployments", "name": "d",
      "properties": {"templateLink": {"uri": "https://x"}}}]})",
                                   "x.json");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_findings(*file), ElementsAre(HasSubstr("deploys a template that is elsewhere"),
                                                 HasSubstr("this template holds no route table")));
}

TEST(Azure, NullIsNotPassed) {
  for (const std::string passed :
       {R"({"value": null})", R"({"value": "[tryGet(parameters('cfg'), 'hop')]"})",
        R"("[if(contains(parameters('cfg'), 'hop'), createObject('value', 'x'), null())]")",
        R"("[createObject('value', null())]")"}) {
    const auto file = parse_document(R"({"parameters": {"cfg": {"type": "object", "defaultValue": {"a": 1}}},
      "resources": [{"type": "Microsoft.Resources/deployments", "name": "d", "properties": {
        "expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"hop": )" +
                                         passed + R"(},
        "template": {"parameters": {"hop": {"type": "string", "defaultValue": "10.0.1.4"}}, "resources": [
          {"type": "Microsoft.Network/routeTables", "name": "t", "properties": {"routes": [{"name": "r",
            "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance",
              "nextHopIpAddress": "[parameters('hop')]"}}]}}]}}}]})",
                                     "x.json");
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_THAT(azure_routes(*file), ElementsAre("r 0.0.0.0/0 VirtualAppliance 10.0.1.4")) << passed;
  }
}

TEST(AzureRealFiles, ARouteTableOfAz) {
  const auto path = test::real_data("azure/route-table-az.json");
  if (!path)
    return;
  const auto file = read_all(*path);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_routes(*file), ElementsAre("DefaultRoute 0.0.0.0/0 VirtualAppliance 10.1.3.4"));
  EXPECT_THAT(azure_findings(*file), IsEmpty());
}

TEST(AzureRealFiles, EffectiveRoutes) {
  const auto path = test::real_data("azure/effective-routes-service-endpoint.json");
  if (!path)
    return;
  const auto file = read_all(*path);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_THAT(azure_findings(*file), IsEmpty());
  const auto document = nlohmann::json::parse(*base::read_file(*path));
  std::vector<std::string> expected;
  for (const auto& entry : document.at("value"))
    for (const auto& prefix : entry.at("addressPrefix"))
      expected.push_back(" " + prefix.get<std::string>() + " " + entry.at("nextHopType").get<std::string>());
  EXPECT_EQ(azure_routes(*file), expected);
}

// The routes of this template are made by functions of functions. A regular expression finds the literals of the branch
// for the public cloud: what stands before the one for the next.
TEST(AzureRealFiles, ATemplateWhoseRoutesAreExpressions) {
  const auto path = test::real_data("azure/avdaccelerator-deploy-baseline.json.gz");
  if (!path)
    return;
  const auto file = read_all(*path);
  ASSERT_TRUE(file) << file.error().to_string();

  const auto text = formats::inflate(*base::read_file(*path), *path);
  ASSERT_TRUE(text);
  const auto begin = text->find("\"varDefaultStaticRoutes\":");
  ASSERT_NE(begin, std::string::npos);
  const auto branch = text->substr(begin, text->find("'AzureUSGovernment'", begin) - begin);
  const std::regex literal{R"('name', '(\w+)'.*?'addressPrefix', '([^']+)'.*?'nextHopType', '(\w+)')"};
  std::vector<std::string> expected;
  for (std::sregex_iterator it{branch.begin(), branch.end(), literal}; it != std::sregex_iterator{}; ++it)
    expected.push_back((*it)[1].str() + " " + (*it)[2].str() + " " + (*it)[3].str());
  ASSERT_GT(expected.size(), 3U);
  EXPECT_THAT(azure_routes(*file), testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(file->tables.size(), 2U);
  EXPECT_TRUE(std::ranges::none_of(file->findings, [](const base::Finding& finding) {
    return finding.severity == base::Severity::error;
  }));
  EXPECT_THAT(azure_findings(*file), testing::Contains(HasSubstr("taken as AzureCloud")));
}

}  // namespace
}  // namespace sekisho::formats
