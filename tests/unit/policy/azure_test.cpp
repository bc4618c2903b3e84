// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/check/warnings.hpp"
#include "control/formats/service_tags.hpp"
#include "control/policy/policy.hpp"
#include "tests/unit/real_data.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::policy {
namespace {

// Azure's files in a configuration that binds its types.
constexpr std::string_view azure_prelude = R"([port.lan]
device = "af_xdp:lan0"
[next_hop.firewall]
members = ["10.0.2.10"]
[next_hop.pair]
members = ["10.0.2.11", "10.0.2.12"]
[next_hop.onprem-gateway]
members = ["10.0.1.1"]
[next_hop.vnet]
members = ["10.0.1.20"]
[internet]
via = "firewall"
exit = { port = "lan" }
[azure]
own_addresses = ["10.0.2.100"]
[azure.next_hop]
VnetLocal = "vnet"
VNetPeering = "vnet"
VirtualNetworkGateway = "onprem-gateway"
)";  // the next line is 20

constexpr std::string_view zone_head = "[zone.spoke]\nport = [\"lan\"]\nsources = [\"10.0.0.0/16\"]\n";

auto route(std::string_view name, std::string_view prefix, std::string_view type, std::string_view more = "")
    -> std::string {
  return std::string{R"({"name": ")"} + std::string{name} + R"(", "addressPrefix": ")" + std::string{prefix} +
         R"(", "nextHopType": ")" + std::string{type} + "\"" + std::string{more} + "}";
}

auto route_table(const std::string& routes) -> std::string {
  return R"({"name": "udr", "disableBgpRoutePropagation": false, "routes": [)" + routes + "]}";
}

constexpr std::string_view appliance = R"(, "nextHopIpAddress": )";

constexpr std::string_view tags = R"({"changeNumber": 1, "cloud": "Public", "values": [
{"name": "AzureCloud", "id": "AzureCloud", "properties": {"changeNumber": 1, "region": "", "regionId": 0, "platform": "Azure",
 "systemService": "", "addressPrefixes": ["20.0.0.0/16", "20.1.0.0/16"], "networkFeatures": ["NSG"]}},
{"name": "AzureCloud.westeurope", "id": "AzureCloud.westeurope", "properties": {"changeNumber": 1, "region": "westeurope",
 "regionId": 1, "platform": "Azure", "systemService": "", "addressPrefixes": ["20.0.0.0/16"], "networkFeatures": ["NSG"]}},
{"name": "Storage", "id": "Storage", "properties": {"changeNumber": 1, "region": "", "regionId": 0, "platform": "Azure",
 "systemService": "AzureStorage", "addressPrefixes": ["20.0.0.0/16", "20.2.0.0/24", "2603:1000::/40"],
 "networkFeatures": ["API", "NSG", "UDR", "FW"]}},
{"name": "Storage.WestEurope", "id": "Storage.WestEurope", "properties": {"changeNumber": 1, "region": "westeurope",
 "regionId": 1, "platform": "Azure", "systemService": "AzureStorage", "addressPrefixes": ["20.0.0.0/16"],
 "networkFeatures": ["API", "NSG", "UDR", "FW"]}}]})";

class AzurePolicy : public testing::Test {
 protected:
  auto read_with(std::string_view rest, const InterfaceAddresses& addresses = {}) {
    return read(folder_.write("sekisho.toml", std::string{azure_prelude} + std::string{rest}), addresses);
  }
  auto read_udr(const std::string& routes, const InterfaceAddresses& addresses = {}) {
    folder_.write("udr.json", route_table(routes));
    return read_with(std::string{zone_head} + "routes = [\"udr.json\"]\n", addresses);
  }
  auto shorten(std::string text) const -> std::string { return folder_.shorten(std::move(text)); }
  // "10.0.0.0/16 User firewall (VirtualAppliance) udr.json DefaultRoute": the candidates but Azure's host addresses.
  auto candidates(const Policy& policy, std::string_view zone = "spoke") const -> std::vector<std::string> {
    std::vector<std::string> result;
    for (const auto& route : policy.zone(zone)->table.candidates()) {
      if (policy.names[route.source] == "Azure's host addresses")
        continue;
      const auto type = std::string{to_string(route.type)};
      result.push_back(base::to_string(route.prefix) + " " + std::string{to_string(route.origin)} + " " +
                       policy.names[route.next_hop] + (type.empty() ? "" : " (" + type + ")") + " " +
                       shorten(policy.names[route.source]));
    }
    return result;
  }
  template <typename Result>
  void expect_refused(const Result& result, const std::string& error) const {
    ASSERT_FALSE(result) << error;
    const auto text = shorten(result.error().to_string());
    EXPECT_EQ(text.substr(0, error.size()), error);
  }

  test::TemporaryFolder folder_;
};

using Lines = std::vector<std::string>;

auto next_hop(const Policy& policy, std::string_view zone, std::string_view address) -> std::string {
  const auto route = policy.zone(zone)->table.lookup(base::parse_address(address).value());
  return route ? policy.names[route->next_hop] : "no route";
}

// Interfaces that are known, none with an address that a test asks for.
auto no_address(const config::Port& /*port*/) -> std::optional<std::vector<config::InterfaceAddress>> {
  return std::vector<config::InterfaceAddress>{{10U << 24 | 250U, 24}};
}

TEST_F(AzurePolicy, TheHostsAddressesAreNobodyElses) {
  const auto policy = read_with(std::string{zone_head} +
                                "internet = true\n[zone.b]\nport = [\"lan\"]\nsources = [\"0.0.0.0/0\"]\n"
                                "routes = [{ prefix = \"169.254.169.254/32\", next_hop = \"vnet\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  for (const auto* address : {"168.63.129.16", "169.254.169.254"})
    EXPECT_EQ(next_hop(**policy, "spoke", address), "None");
  EXPECT_EQ(next_hop(**policy, "spoke", "168.63.129.17"), "firewall");
  EXPECT_EQ(next_hop(**policy, "b", "168.63.129.16"), "None");
  EXPECT_EQ(next_hop(**policy, "b", "169.254.169.254"), "vnet") << "who writes it is believed";
  EXPECT_EQ(next_hop(**policy, "b", "169.254.169.253"), "no route");
}

TEST_F(AzurePolicy, SystemRoutesOfASubnet) {
  const auto policy = read_with(std::string{zone_head} +
                                "system_routes = true\nvnet = [\"10.0.0.0/16\", \"192.168.0.0/16\"]\n"
                                "peerings = [\"172.16.0.0/12\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(candidates(**policy), (Lines{
                                      "10.0.0.0/8 System None (None) private space",
                                      "10.0.0.0/16 System vnet (VnetLocal) zone.spoke.system_routes",
                                      "100.64.0.0/10 System None (None) private space",
                                      "172.16.0.0/12 System vnet (VNetPeering) zone.spoke.system_routes",
                                      "172.16.0.0/12 System None (None) private space",
                                      "192.168.0.0/16 System vnet (VnetLocal) zone.spoke.system_routes",
                                  }))
      << "a VNet's prefix takes the place of the None route, a peering's goes before it; no default";
  EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "no route");
}

// A subnet whose default goes to an appliance has no None routes: spokes and on-premises are behind it.
TEST_F(AzurePolicy, ADefaultToAnApplianceLeadsToPrivateSpaceToo) {
  constexpr const char* of_subnet = "system_routes = true\nvnet = [\"10.0.0.0/16\"]\n";
  constexpr const char* by_default = "routes = [{ prefix = \"0.0.0.0/0\", next_hop = \"firewall\" }]\n";
  const auto bare = read_with(std::string{zone_head} + of_subnet);
  const auto udr = read_with(std::string{zone_head} + of_subnet + by_default);
  const auto own = read_with(std::string{zone_head} + "internet = true\n" + of_subnet + by_default);
  ASSERT_TRUE(bare) << bare.error().to_string();
  ASSERT_TRUE(udr) << udr.error().to_string();
  ASSERT_TRUE(own) << own.error().to_string();
  EXPECT_EQ(next_hop(**bare, "spoke", "172.16.0.1"), "None");
  EXPECT_EQ(next_hop(**udr, "spoke", "172.16.0.1"), "firewall");
  EXPECT_EQ(next_hop(**own, "spoke", "172.16.0.1"), "None") << "internet = true is this product's own policy";
}

TEST_F(AzurePolicy, AVnetThatIncludesPrivateSpaceTakesItsPlace) {
  const auto policy =
      read_with(std::string{zone_head} + "internet = true\nsystem_routes = true\nvnet = [\"10.0.0.0/7\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(next_hop(**policy, "spoke", "10.200.0.1"), "vnet");
  EXPECT_EQ(next_hop(**policy, "spoke", "172.16.0.1"), "None");
  EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "firewall");
  EXPECT_EQ(candidates(**policy).size(), 6U) << "private space once";
}

TEST_F(AzurePolicy, SystemRoutesNeedToKnowTheVnet) {
  auto text = std::string{azure_prelude};
  const auto at = text.find("VNetPeering = \"vnet\"\n");
  text.erase(at, std::string_view{"VNetPeering = \"vnet\"\n"}.size());
  const auto policy =
      read(folder_.write("sekisho.toml", text + std::string{zone_head} +
                                             "system_routes = true\nvnet = [\"10.0.0.0/16\"]\n"
                                             "peerings = [\"10.1.0.0/16\"]\n"));
  expect_refused(policy,
                 "sekisho.toml:19: zone spoke has system_routes: what next hop VNetPeering is here, nothing "
                 "says: write VNetPeering = \"NAME\" in [azure.next_hop]");
}

TEST_F(AzurePolicy, EachNextHopTypeOfARouteTable) {
  const auto own = std::string{appliance} + "\"10.0.2.100\"";
  const auto other = std::string{appliance} + "\"10.0.1.1\"";
  const std::string ecmp = R"(, "nextHop": {"nextHopIpAddresses": ["10.0.2.12", "10.0.2.11"]})";
  const auto policy = read_udr(route("DefaultRoute", "0.0.0.0/0", "VirtualAppliance", own) + "," +
                               route("Branch", "172.16.0.0/12", "VirtualAppliance", other) + "," +
                               route("Pair", "172.20.0.0/16", "VirtualApplianceEcmp", ecmp) + "," +
                               route("Local", "10.0.0.0/16", "VNetLocal") + "," +
                               route("Gateway", "172.30.0.0/16", "VirtualNetworkGateway") + "," +
                               route("Kms", "20.118.99.224/32", "Internet") + "," +
                               route("Nothing", "198.18.0.0/15", "None"));
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(candidates(**policy),
            (Lines{
                "0.0.0.0/0 User firewall (VirtualAppliance) udr.json DefaultRoute",
                "10.0.0.0/16 User vnet (VnetLocal) udr.json Local",
                "20.118.99.224/32 User Internet (Internet) udr.json Kms",
                "172.16.0.0/12 User onprem-gateway (VirtualAppliance) udr.json Branch",
                "172.20.0.0/16 User pair (VirtualApplianceEcmp) udr.json Pair",
                "172.30.0.0/16 User onprem-gateway (VirtualNetworkGateway) udr.json Gateway",
                "198.18.0.0/15 User None (None) udr.json Nothing",
            }));
  const auto& first = (*policy)->zone("spoke")->table.candidates().front();
  const auto& source = (*policy)->file_sources.at(first.source);
  EXPECT_EQ(source.file, folder_.path() / "udr.json");
  EXPECT_EQ(source.label, "DefaultRoute");
  EXPECT_EQ((*policy)->exceptions,
            (std::vector<base::Prefix>{base::parse_prefix("20.118.99.224/32").value()}));
  ASSERT_EQ((*policy)->files.size(), 1U);
  EXPECT_EQ((*policy)->files[0].format, formats::Format::route_table);
  EXPECT_EQ((*policy)->files[0].routes, 7U);
  ASSERT_EQ((*policy)->files[0].tables.size(), 1U);
  EXPECT_EQ((*policy)->files[0].tables[0].name, "udr");
}

TEST_F(AzurePolicy, AnApplianceThatIsOurselvesMeansTheFirewall) {
  const auto routes =
      route("DefaultRoute", "0.0.0.0/0", "VirtualAppliance", std::string{appliance} + "\"10.0.1.4\"");
  std::vector<std::string> asked;
  const auto policy = read_udr(routes, [&](const config::Port& port) {
    asked.push_back(*port.netdev());
    return std::optional{std::vector<config::InterfaceAddress>{{10U << 24 | 1U << 8 | 4U, 24}}};
  });
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "firewall");
  EXPECT_EQ(asked, (Lines{"lan0"}));
  expect_refused(
      read_udr(routes),
      "udr.json: route \"DefaultRoute\" to 0.0.0.0/0: no next hop has 10.0.1.4 as its only member; the "
      "addresses of lan0 are not known here: an own one can be written in own_addresses of [azure]");
  const auto elsewhere = read_udr(routes, [](const config::Port&) {
    return std::optional{std::vector<config::InterfaceAddress>{{10U << 24 | 1U << 8 | 5U, 24}}};
  });
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().reason.find("not known"), std::string::npos) << elsewhere.error().reason;
}

TEST_F(AzurePolicy, RefusesWhatARouteTableCannotMeanHere) {
  struct Case {
    std::string route;
    std::string error;
  };
  const std::string ecmp = R"(, "nextHop": {"nextHopIpAddresses": ["10.0.2.12", "10.0.2.13"]})";
  const std::vector<Case> cases{
      {route("All", "0.0.0.0/0", "Internet"),
       "udr.json: route \"All\" to 0.0.0.0/0: 0.0.0.0/0 is too much for an exception"},
      {route("Two", "10.0.0.0/8", "VirtualApplianceEcmp", ecmp),
       "udr.json: route \"Two\" to 10.0.0.0/8: no next hop has exactly the members 10.0.2.12,10.0.2.13"},
      {route("Tag", "AzureMonitor", "Internet"),
       "udr.json: $.routes[0]: what the service tag \"AzureMonitor\" means, a file tells: "
       "write "
       "service_tags = \"FILE\" in [azure]"},
  };
  for (const auto& test : cases)
    expect_refused(read_udr(test.route), test.error);
}

TEST_F(AzurePolicy, ATypeThatNothingBindsNamesTheRoute) {
  auto text = std::string{azure_prelude};
  const std::string_view bound = "VirtualNetworkGateway = \"onprem-gateway\"\n";
  text.erase(text.find(bound), bound.size());
  folder_.write("udr.json", route_table(route("Branches", "172.16.0.0/12", "VirtualNetworkGateway")));
  expect_refused(
      read(folder_.write("sekisho.toml", text + std::string{zone_head} + "routes = [\"udr.json\"]\n")),
      "udr.json: route \"Branches\" to 172.16.0.0/12: what next hop VirtualNetworkGateway is here, nothing "
      "says: "
      "write VirtualNetworkGateway = \"NAME\" in [azure.next_hop]");
}

class TagPolicy : public AzurePolicy {
 protected:
  auto read_tagged(std::string_view rest) {
    folder_.write("tags.json", tags);
    auto text = std::string{azure_prelude};
    text.insert(text.find("own_addresses"), "service_tags = \"tags.json\"\n");
    return read(folder_.write("sekisho.toml", text + std::string{zone_head} + std::string{rest}));
  }
};

TEST_F(TagPolicy, TheCloserTagWins) {
  const std::string cloud = "{ tag = \"AzureCloud\", next_hop = \"None\" }";
  const std::string region = "{ tag = \"azurecloud.westeurope\", next_hop = \"pair\" }";
  const std::string storage = "{ tag = \"Storage\", next_hop = \"vnet\" }";
  const std::string near = "{ tag = \"Storage.WestEurope\", next_hop = \"onprem-gateway\" }";
  const std::string written = "{ prefix = \"20.0.0.0/16\", next_hop = \"firewall\" }";
  const auto decided = [&](const std::string& entries) {
    const auto policy = read_tagged("routes = [" + entries + "]\n");
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? next_hop(**policy, "spoke", "20.0.0.1") : "";
  };
  EXPECT_EQ(decided(cloud), "None");
  EXPECT_EQ(decided(region + "," + cloud), "pair");
  EXPECT_EQ(decided(storage + "," + region + "," + cloud), "vnet");
  EXPECT_EQ(decided(near + "," + storage + "," + region + "," + cloud), "onprem-gateway");
  EXPECT_EQ(decided(written + "," + near + "," + storage + "," + region + "," + cloud), "firewall");
}

TEST_F(TagPolicy, ATagByItsNameAndInARouteTable) {
  folder_.write("udr.json", route_table(route("ToStorage", "Storage", "Internet")));
  const auto policy = read_tagged("routes = [{ tag = \"AzureCloud\", next_hop = \"vnet\" }, \"udr.json\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(candidates(**policy), (Lines{
                                      "20.0.0.0/16 User Internet (Internet) udr.json ToStorage",
                                      "20.0.0.0/16 User vnet service tag AzureCloud",
                                      "20.1.0.0/16 User vnet service tag AzureCloud",
                                      "20.2.0.0/24 User Internet (Internet) udr.json ToStorage",
                                  }));
  ASSERT_EQ((*policy)->files.size(), 1U);
  EXPECT_EQ((*policy)->files[0].tags, (Lines{"Storage"}));
  EXPECT_EQ((*policy)->files[0].routes, 0U);
  ASSERT_EQ(check::warnings(**policy).size(), 1U);
  EXPECT_EQ(shorten(check::warnings(**policy)[0]).substr(0, 20), "sekisho.toml:24: the")
      << check::warnings(**policy)[0];
}

TEST_F(TagPolicy, TagsThatOverlapAreReportedWhereTheirNextHopsDiffer) {
  const auto warnings = [&](std::string_view next_hop) {
    const auto policy = read_tagged(
        "routes = [{ tag = \"Storage\", next_hop = \"vnet\" }, { tag = \"Storage\", next_hop = \"" +
        std::string{next_hop} + "\" }]\n");
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? check::warnings(**policy) : Lines{};
  };
  EXPECT_EQ(warnings("vnet"), Lines{});
  const auto differing = warnings("pair");
  ASSERT_EQ(differing.size(), 2U);
  EXPECT_NE(differing[0].find("duplicate 20.0.0.0/16 in zone spoke"), std::string::npos) << differing[0];
}

TEST_F(TagPolicy, AnUnknownTagIsRefusedWhereItStands) {
  const auto policy = read_tagged("routes = [\n{ tag = \"Storages\", next_hop = \"vnet\" }]\n");
  ASSERT_FALSE(policy);
  const auto error = shorten(policy.error().to_string());
  EXPECT_TRUE(error.starts_with("sekisho.toml:25: ")) << error;
  EXPECT_NE(error.find("did you mean \"Storage\"?"), std::string::npos) << error;
}

TEST_F(TagPolicy, ABadTagFileRefusesTheConfiguration) {
  folder_.write("tags.json", "{");
  auto text = std::string{azure_prelude};
  text.insert(text.find("own_addresses"), "service_tags = \"tags.json\"\n");
  const auto policy = read(folder_.write("sekisho.toml", text + std::string{zone_head}));
  ASSERT_FALSE(policy);
  EXPECT_TRUE(shorten(policy.error().to_string()).starts_with("tags.json")) << policy.error().to_string();
}

auto effective(std::string_view source, std::string_view prefix, std::string_view type,
               std::string_view address = "") -> std::string {
  return std::string{R"({"addressPrefix": [")"} + std::string{prefix} + R"("], "nextHopIpAddress": [)" +
         (address.empty() ? "" : "\"" + std::string{address} + "\"") + R"(], "nextHopType": ")" +
         std::string{type} + R"(", "source": ")" + std::string{source} + R"(", "state": "Active"})";
}

TEST_F(AzurePolicy, EffectiveRoutesNeverLeadPastTheFirewallBySystemRoutes) {
  folder_.write("effective.json",
                R"({"nextLink": null, "value": [)" + effective("Default", "0.0.0.0/0", "Internet") + "," +
                    effective("Default", "10.0.0.0/16", "VnetLocal") + "," +
                    effective("Default", "10.0.0.0/8", "None") + "," +
                    effective("Default", "13.65.107.32/28", "VirtualNetworkServiceEndpoint") + "," +
                    effective("Default", "13.69.40.16/28", "VirtualNetworkServiceEndpoint") + "," +
                    effective("VirtualNetworkGateway", "172.16.0.0/12", "VirtualNetworkGateway", "10.0.9.9") +
                    "," +
                    effective("VirtualNetworkGateway", "0.0.0.0/1", "VirtualNetworkGateway", "10.0.2.100") +
                    "," + effective("User", "128.0.0.0/1", "VirtualAppliance", "10.0.2.100") + "]}");
  const auto policy = read_with(std::string{zone_head} + "routes = [\"effective.json\"]\n", no_address);
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(candidates(**policy),
            (Lines{
                "0.0.0.0/1 BGP firewall (VirtualNetworkGateway) effective.json",
                "10.0.0.0/8 System None (None) effective.json",
                "10.0.0.0/16 System vnet (VnetLocal) effective.json",
                "128.0.0.0/1 User firewall (VirtualAppliance) effective.json",
                "172.16.0.0/12 BGP onprem-gateway (VirtualNetworkGateway) effective.json",
            }));
  Lines warnings;
  for (const auto& warning : check::warnings(**policy))
    warnings.push_back(shorten(warning));
  EXPECT_EQ(warnings,
            (Lines{
                "effective.json: System route 0.0.0.0/0 to Internet is left out: it would go past the "
                "firewall; write the route if that is meant",
                "effective.json: System route 13.65.107.32/28 and 1 more to VirtualNetworkServiceEndpoint "
                "is left out: nothing is bound to it in [azure.next_hop]",
            }));
}

TEST_F(AzurePolicy, ABgpRouteWhoseNextHopIsNoneHereHasThatOfItsFile) {
  folder_.write(
      "learned.json",
      R"({"value": [)" + effective("VirtualNetworkGateway", "20.0.0.0/8", "VirtualAppliance", "10.0.9.9") +
          "," + effective("VirtualNetworkGateway", "21.0.0.0/8", "VirtualAppliance", "10.0.1.1") + "," +
          effective("VirtualNetworkGateway", "22.0.0.0/8", "VirtualAppliance", "10.0.2.100") + "]}");
  const auto policy =
      read_with(std::string{zone_head} + "routes = [{ file = \"learned.json\", next_hop = \"pair\" }]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(next_hop(**policy, "spoke", "20.0.0.1"), "pair");
  EXPECT_EQ(next_hop(**policy, "spoke", "21.0.0.1"), "onprem-gateway");
  EXPECT_EQ(next_hop(**policy, "spoke", "22.0.0.1"), "firewall");
  expect_refused(read_with(std::string{zone_head} + "routes = [\"learned.json\"]\n"),
                 "learned.json: route 20.0.0.0/8: no next hop has 10.0.9.9 as its only member");
}

// Each of two appliances learns the other's halves beside its own, a row each.
TEST_F(AzurePolicy, WhatAPairAdvertisesMeansTheFirewallInWhateverOrderItIsTold) {
  for (const auto& [first, second] : {std::pair{"10.0.2.100", "10.0.2.99"}, {"10.0.2.99", "10.0.2.100"}}) {
    folder_.write("effective.json",
                  "[" + effective("VirtualNetworkGateway", "0.0.0.0/1", "VirtualNetworkGateway", first) +
                      "," + effective("VirtualNetworkGateway", "0.0.0.0/1", "VirtualNetworkGateway", second) +
                      "]");
    const auto policy = read_with(std::string{zone_head} + "routes = [\"effective.json\"]\n", no_address);
    ASSERT_TRUE(policy) << policy.error().to_string();
    EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "firewall") << first;
    EXPECT_EQ(check::warnings(**policy), Lines{});
  }
}

TEST_F(AzurePolicy, TheNextHopOfAFileIsForItsBgpRoutesOnly) {
  const auto learned = effective("VirtualNetworkGateway", "20.0.0.0/8", "VirtualAppliance", "10.0.9.9");
  const auto written = effective("User", "21.0.0.0/8", "VirtualAppliance", "10.0.9.9");
  for (const auto& rows : {learned + "," + written, written + "," + learned}) {
    folder_.write("effective.json", "[" + rows + "]");
    expect_refused(
        read_with(std::string{zone_head} + "routes = [{ file = \"effective.json\", next_hop = \"pair\" }]\n"),
        "effective.json: route 21.0.0.0/8: no next hop has 10.0.9.9 as its only member");
  }
}

TEST_F(AzurePolicy, TheNextHopOfAFileHidesNoMistake) {
  folder_.write("learned.json",
                "[" + effective("VirtualNetworkGateway", "20.0.0.0/8", "VirtualAppliance", "10.0.1.1") + "]");
  const auto routes =
      std::string{zone_head} + "routes = [{ file = \"learned.json\", next_hop = \"pair\" }]\n";
  expect_refused(read_with("[next_hop.same]\nmembers = [\"10.0.1.1\"]\n" + routes),
                 "learned.json: route 20.0.0.0/8: next hop 10.0.1.1 may be \"onprem-gateway\" or \"same\"");
}

TEST_F(AzurePolicy, WhatIsLearnedNeverLeadsPastTheFirewall) {
  folder_.write("learned.json", "[" + effective("VirtualNetworkGateway", "20.0.0.0/8", "Internet") + "]");
  for (const auto* entry : {"\"learned.json\"", "{ file = \"learned.json\", next_hop = \"pair\" }"}) {
    const auto policy = read_with(std::string{zone_head} + "routes = [" + entry + "]\n");
    ASSERT_TRUE(policy) << policy.error().to_string();
    EXPECT_EQ(candidates(**policy), Lines{});
    EXPECT_EQ((*policy)->exceptions, std::vector<base::Prefix>{});
    EXPECT_EQ(shorten(check::warnings(**policy).at(0)),
              "learned.json: BGP route 20.0.0.0/8 to Internet is left out: it would go past the firewall; "
              "write the route if that is meant");
  }
}

TEST_F(AzurePolicy, ANextHopThatMayBeOurOwnIsWarnedOf) {
  folder_.write(
      "learned.json",
      "[" + effective("VirtualNetworkGateway", "0.0.0.0/1", "VirtualNetworkGateway", "10.0.1.4") + "," +
          effective("VirtualNetworkGateway", "128.0.0.0/1", "VirtualNetworkGateway", "10.0.1.4") + "," +
          effective("VirtualNetworkGateway", "172.16.0.0/12", "VirtualNetworkGateway", "10.0.1.1") + "]");
  const auto routes = std::string{zone_head} + "routes = [\"learned.json\"]\n";
  const InterfaceAddresses none_yet = [](const config::Port&) {
    return std::optional{std::vector<config::InterfaceAddress>{}};
  };
  for (const auto& addresses : {InterfaceAddresses{}, none_yet}) {
    const auto policy = read_with(routes, addresses);
    ASSERT_TRUE(policy) << policy.error().to_string();
    EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "onprem-gateway");
    ASSERT_EQ(check::warnings(**policy).size(), 1U);
    EXPECT_EQ(
        shorten(check::warnings(**policy)[0]),
        "learned.json: BGP route 0.0.0.0/1 goes to onprem-gateway, unless its next hop 10.0.1.4 is this "
        "appliance's own, which means [internet].via: the addresses of lan0 are not known here; an own "
        "one can be written in own_addresses of [azure]");
  }
  const auto known = read_with(routes, no_address);
  ASSERT_TRUE(known) << known.error().to_string();
  EXPECT_EQ(check::warnings(**known), Lines{});
}

TEST_F(AzurePolicy, SystemRoutesThatAFileRepeatsAreNotWarnedOf) {
  folder_.write("effective.json", "[" + effective("Default", "10.0.0.0/8", "None") + "," +
                                      effective("Default", "10.0.0.0/16", "VnetLocal") + "]");
  const auto policy = read_with(std::string{zone_head} +
                                "internet = true\nsystem_routes = true\nvnet = [\"10.0.0.0/16\"]\n"
                                "routes = [\"effective.json\"]\n");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(check::warnings(**policy), Lines{});
}

TEST_F(AzurePolicy, NothingRunsThatAdvertisesToNobody) {
  const auto zone = std::string{zone_head} + "internet = true\n";
  const auto bgp = zone + "[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65515 }]\n";
  ASSERT_TRUE(read_with(bgp));
  EXPECT_TRUE(read_to_run(folder_.path() / "sekisho.toml", {}));
  auto text = std::string{azure_prelude};
  text.insert(text.find("exit = "), "advertise = \"default\"\n");
  EXPECT_TRUE(read_to_run(folder_.write("sekisho.toml", text + bgp), {}));
  expect_refused(read_to_run(folder_.write("sekisho.toml", text + zone), {}),
                 "sekisho.toml:11: \"advertise\" in [internet] has nobody to tell: name peers in [bgp]");
}

TEST_F(AzurePolicy, WhatIsAdvertised) {
  auto text = std::string{azure_prelude};
  text.insert(text.find("exit = "), "advertise = \"halves\"\n");
  folder_.write("announced.txt", "203.0.113.0/24 firewall\n198.51.100.0/24 firewall\n");
  const auto file = folder_.write(
      "sekisho.toml",
      text + std::string{zone_head} +
          "internet = true\n[bgp]\nasn = 65010\npeer = [{ address = \"10.0.3.4\", asn = 65515 }]\n"
          "advertise = [\"198.51.100.0/24\", { file = \"announced.txt\" }]\n");
  const auto policy = read(file);
  ASSERT_TRUE(policy) << policy.error().to_string();
  Lines advertised;
  for (const auto prefix : (*policy)->advertised)
    advertised.push_back(base::to_string(prefix));
  EXPECT_EQ(advertised, (Lines{"0.0.0.0/1", "128.0.0.0/1", "198.51.100.0/24", "203.0.113.0/24"}));
  std::filesystem::remove(folder_.path() / "announced.txt");
  EXPECT_FALSE(read(file));
}

TEST(AzureExample, DecidesAsItSays) {
  const auto policy = read(std::filesystem::path{SEKISHO_EXAMPLES} / "azure.toml");
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_TRUE(check::warnings(**policy).empty());
  EXPECT_FALSE(refuse_to_run(**policy));
  EXPECT_EQ(next_hop(**policy, "spoke", "8.8.8.8"), "firewall");
  EXPECT_EQ(next_hop(**policy, "spoke", "10.1.2.3"), "subnet-router");
  EXPECT_EQ(next_hop(**policy, "spoke", "10.0.2.3"), "subnet-router");
  EXPECT_EQ(next_hop(**policy, "spoke", "10.2.0.1"), "firewall") << "another spoke, by the table's default";
  EXPECT_EQ(next_hop(**policy, "spoke", "172.16.0.1"), "subnet-router");
  EXPECT_EQ(next_hop(**policy, "spoke", "20.118.99.224"), "Internet");
  EXPECT_EQ(next_hop(**policy, "spoke", "198.51.100.1"), "None");
  EXPECT_EQ(next_hop(**policy, "spoke", "198.51.100.77"), "firewall");
  EXPECT_EQ((*policy)->exceptions.size(), 3U);
}

// Microsoft's file has no open licence and is not in the repository; the tests above do with small ones. Where there is none, this
// one is not there either.
class AzureData : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AzureData);

auto real_service_tags() -> std::vector<std::filesystem::path> {
  const auto file = test::real_data("azure/ServiceTags_Public_20251117.json.gz");
  return file ? std::vector{*file} : std::vector<std::filesystem::path>();
}

INSTANTIATE_TEST_SUITE_P(Microsofts, AzureData, testing::ValuesIn(real_service_tags()));

TEST_P(AzureData, EveryRoutableTagOfTheRealFileIsRouted) {
  const auto& file = GetParam();
  const auto tags = formats::read_service_tags(file);
  ASSERT_TRUE(tags) << tags.error().to_string();
  std::string text =
      "[port.lan]\ndevice = \"af_xdp:lan0\"\n[next_hop.firewall]\nmembers = [\"10.0.2.10\"]\n"
      "[azure]\nservice_tags = \"" +
      file.string() + "\"\n" + std::string{zone_head} + "routes = [\n";
  std::set<base::Prefix> prefixes{base::parse_prefix("168.63.129.16/32").value(),
                                  base::parse_prefix("169.254.169.254/32").value()};
  std::size_t routable = 0;
  for (const auto& tag : tags->tags) {
    if (!tag.routable)
      continue;
    ++routable;
    prefixes.insert(tag.prefixes.begin(), tag.prefixes.end());
    text += "{ tag = \"" + tag.name + "\", next_hop = \"firewall\" },\n";
  }
  EXPECT_GT(routable, 100U);
  const test::TemporaryFolder folder;
  const auto policy = read(folder.write("sekisho.toml", text + "]\n"));
  ASSERT_TRUE(policy) << policy.error().to_string();
  const auto winners = (*policy)->zone("spoke")->table.winners();
  EXPECT_EQ(winners.size(), prefixes.size());
  EXPECT_TRUE(std::ranges::equal(winners, prefixes, {}, &route::Route::prefix));
}

}  // namespace
}  // namespace sekisho::policy
