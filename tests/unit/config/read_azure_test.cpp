// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.hpp"
#include "tests/unit/config/edited.hpp"

namespace sekisho::config {
namespace {

TEST(Config, ReadsEveryKeyOfAzure) {
  const auto config = read(azure_fixture);
  ASSERT_TRUE(config) << config.error().to_string();
  const auto folder = azure_fixture.parent_path();
  EXPECT_EQ(config->ports[0].subnet_routes, folder / "egress-udr.json");
  EXPECT_TRUE(config->ports[1].subnet_routes.empty());
  EXPECT_EQ(config->internet->advertise, Advertise::default_route);
  const auto& azure = config->azure;
  EXPECT_EQ(azure.service_tags, folder / "ServiceTags.json");
  EXPECT_EQ(azure.cloud, "china");
  EXPECT_EQ(azure.gateway, Gateway::expressroute);
  EXPECT_EQ(azure.own_addresses, (std::vector<std::uint32_t>{ip(10, 0, 1, 100), ip(10, 0, 2, 100)}));
  EXPECT_EQ(azure.next_hops, (std::map<route::NextHopType, std::string>{
                                 {route::NextHopType::virtual_network_gateway, "onprem-gateway"},
                                 {route::NextHopType::vnet_local, "vnet"},
                                 {route::NextHopType::vnet_peering, "vnet"},
                             }));
  EXPECT_EQ(azure.line, 16U);
  const auto& zone = config->zones.at(0);
  EXPECT_TRUE(zone.system_routes);
  EXPECT_EQ(zone.vnet, (std::vector<base::Prefix>{{ip(10, 0, 0, 0), 16}, {ip(10, 1, 0, 0), 16}}));
  EXPECT_EQ(zone.peerings, (std::vector<base::Prefix>{{ip(10, 2, 0, 0), 16}}));
  ASSERT_EQ(zone.routes.size(), 3U);
  EXPECT_EQ(zone.routes[0].file, folder / "spoke-udr.json");
  EXPECT_EQ(zone.routes[0].peer, std::nullopt);
  EXPECT_EQ(zone.routes[1].kind, RouteSpec::Kind::tag);
  EXPECT_EQ(zone.routes[1].tag, "AzureMonitor");
  EXPECT_EQ(zone.routes[1].next_hop, "Internet");
  EXPECT_EQ(zone.routes[1].line, 33U);
  EXPECT_EQ(zone.routes[2].peer, ip(10, 0, 0, 1));
  EXPECT_EQ(zone.routes[2].next_hop, "firewall");
  ASSERT_TRUE(config->bgp);
  EXPECT_EQ(config->bgp->asn, 65010U);
  EXPECT_EQ(config->bgp->line, 36U);
  ASSERT_EQ(config->bgp->peers.size(), 2U);
  EXPECT_EQ(config->bgp->peers[0].address, ip(10, 0, 3, 4));
  EXPECT_EQ(config->bgp->peers[0].asn, 65515U);
  EXPECT_EQ(config->bgp->peers[1].asn, 4200000000U);
  EXPECT_EQ(config->bgp->peers[1].line, 38U);
  EXPECT_EQ(config->bgp->peers[0].preset, PeerPreset::azure_route_server) << "AS 65515 is Azure's";
  EXPECT_EQ(config->bgp->peers[1].preset, PeerPreset::generic);
  EXPECT_EQ(config->bgp->advertising, Advertising{});
  ASSERT_EQ(config->bgp->advertise.size(), 2U);
  EXPECT_EQ(config->bgp->advertise[0].kind, RouteSpec::Kind::prefix);
  EXPECT_EQ(config->bgp->advertise[0].prefix, (base::Prefix{ip(198, 51, 100, 0), 24}));
  EXPECT_EQ(config->bgp->advertise[1].kind, RouteSpec::Kind::file);
  EXPECT_EQ(config->bgp->advertise[1].file, folder / "announced.txt");
}

TEST(Config, WithoutAzureNothingIsKnownOfIt) {
  const auto config = read(fixture);
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->azure.cloud, "public");
  EXPECT_EQ(config->azure.gateway, Gateway::unknown);
  EXPECT_TRUE(config->azure.service_tags.empty());
  EXPECT_TRUE(config->azure.next_hops.empty());
  EXPECT_EQ(config->internet->advertise, Advertise::none);
  EXPECT_FALSE(config->bgp);
}

TEST_F(EditedConfig, Azure) {
  const std::string own = "[\"10.0.2.100\", \"10.0.1.100\"]";
  const std::string bound = "VNetPeering = \"vnet\"";
  expect(
      {
          {"service_tags = ", "service_tag = ",
           "17: \"service_tag\" is not a key of [azure]; did you mean \"service_tags\"?"},
          {"\"ServiceTags.json\"", "\"\"", "17: \"service_tags\" names no file"},
          {"\"ServiceTags.json\"", "1", "17: \"service_tags\" in [azure] must be a string, not an integer"},
          {"service_tags = \"ServiceTags.json\"", "", "33: what \"AzureMonitor\" means, a file tells"},
          {"\"china\"", "\"China\"",
           "18: \"cloud\" in [azure] is \"public\", \"usgov\" or \"china\", not \"China\""},
          {"\"expressroute\"", "\"vwan\"",
           "19: \"gateway\" in [azure] is \"expressroute\", \"vpn\" or \"virtual-wan\", not \"vwan\""},
          {"\"expressroute\"", "\"vpn\"", ""},
          {"\"expressroute\"", "\"virtual-wan\"", ""},
          {own, "[\"10.0.2.100/32\"]", "20: "},
          {own, "[\"127.0.0.1\"]", "20: 127.0.0.1 is in 127.0.0.0/8 (loopback)"},
          {own, "[\"10.0.2.100\", \"10.0.2.100\"]", "20: duplicate own address 10.0.2.100"},
          {own, "[\"10.0.2.10\"]", "20: own address 10.0.2.10 is a member of next hop \"firewall\" (line 6)"},
          {own, "\"10.0.2.100\"", "20: \"own_addresses\" in [azure] must be an array of strings"},
          {bound, "VNetLocal = \"vnet\"", "23: duplicate VnetLocal"},
          {bound, "VNetPering = \"vnet\"",
           "23: \"VNetPering\" is not an Azure next-hop type; did you mean \"VNetPeering\"?"},
          {bound, "internet = \"vnet\"", "23: what Internet is here cannot be chosen"},
          {bound, "None = \"vnet\"", "23: what None is here cannot be chosen"},
          {bound, "VirtualAppliance = \"vnet\"", "23: what VirtualAppliance is here cannot be chosen"},
          {bound, "VirtualApplianceEcmp = \"vnet\"",
           "23: what VirtualApplianceEcmp is here cannot be chosen"},
          {bound, "VNetPeering = \"vnets\"", "23: there is no next hop \"vnets\"; did you mean \"vnet\"?"},
          {bound, "VNetPeering = \"None\"", "23: there is no next hop \"None\""},
          {bound, "VNetPeering = 1",
           "23: \"VNetPeering\" in [azure] must be the name of a next hop, not an integer"},
          {bound, "VNetGlobalPeering = \"vnet\"\nNatGateway = \"vnet\"\nConnectedGroup = \"vnet\"", ""},
          {"advertise = \"default\"", "advertise = \"both\"",
           "15: \"advertise\" in [internet] is \"none\", \"default\" or \"halves\", not \"both\""},
          {"advertise = \"default\"", "advertise = \"none\"", ""},
          {"subnet_routes = \"egress-udr.json\"", "subnet_routes = \"\"",
           "5: \"subnet_routes\" names no file"},
      },
      azure_fixture);
}

}  // namespace
}  // namespace sekisho::config
