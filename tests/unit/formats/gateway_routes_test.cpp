// SPDX-License-Identifier: BSD-3-Clause
// What gateways, circuits and hubs learned: which of a network's paths is in force.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/formats/told.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// RFC 4271, 9.1.2.2 d: eBGP before iBGP. The other is the gateway's own second instance.
TEST(LearnedRoutes, APathOfTheOtherInstanceIsNoSecondNextHop) {
  for (const auto* origins : {"EBgp IBgp", "IBgp EBgp"}) {
    const std::string first{origins, 4};
    const std::string second{origins + 5, 4};
    const auto hop_of = [](const std::string& origin) {
      return origin == "EBgp" ? "172.20.255.1" : "10.0.255.4";
    };
    EXPECT_THAT(
        told(R"({"value": [{"network": "10.9.0.0/16", "asPath": "65010", "weight": 32768, "origin": ")" +
             first + R"(", "nextHop": ")" + hop_of(first) +
             R"("}, {"network": "10.9.0.0/16", "asPath": "65010", "weight": 32768, "origin": ")" + second +
             R"(", "nextHop": ")" + hop_of(second) + R"("}]})"),
        ElementsAre("BGP 10.9.0.0/16 172.20.255.1"))
        << origins;
  }
}

// RFC 4271, 9.1.1: the higher LOCAL_PREF is preferred, however long the AS path.
TEST(LearnedRoutes, TheHigherLocalPreferenceWins) {
  EXPECT_THAT(
      told(
          R"({"value": [{"network": "10.9.0.0/16", "nextHop": "172.16.0.1", "locPrf": "200", "weight": 0, "path": "65001 65001 ?"},
                        {"network": "10.9.0.0/16", "nextHop": "172.16.0.5", "locPrf": "", "weight": 0, "path": "65001 ?"},
                        {"network": "10.8.0.0/16", "nextHop": "172.16.0.1", "locPrf": 99, "weight": 0, "path": "65001 ?"},
                        {"network": "10.8.0.0/16", "nextHop": "172.16.0.5", "weight": 0, "path": "65001 65001 ?"},
                        {"network": "10.7.0.0/16", "nextHop": "172.16.0.1", "locPrf": 99, "weight": 1, "path": "65001 ?"},
                        {"network": "10.7.0.0/16", "nextHop": "172.16.0.5", "weight": 0, "path": "65001 ?"}]})"),
      ElementsAre("BGP 10.7.0.0/16 172.16.0.1", "BGP 10.8.0.0/16 172.16.0.5", "BGP 10.9.0.0/16 172.16.0.1"));
  EXPECT_THAT(told(R"([{"network": "10.9.0.0/16", "nextHop": "172.16.0.1", "locPrf": "high", "weight": 0}])"),
              ElementsAre("refused: $[0].locPrf: \"high\" is no local preference"));
}

TEST(LearnedRoutes, TheGatewaysOwnNetworkLeadsToTheGateway) {
  EXPECT_THAT(
      told(
          R"([{"network": "10.9.0.0/16", "asPath": "", "nextHop": null, "origin": "Network", "weight": 32768}])"),
      ElementsAre("BGP 10.9.0.0/16 VirtualNetworkGateway"));
}

TEST(HubRoutes, OfTwoPathsTheShorterIsTakenAndSaid) {
  EXPECT_THAT(
      told(
          R"([{"addressPrefixes": ["10.9.0.0/16"], "asPath": "65001-65001", "nextHops": ["/x/vpnGateways/gw1"]},
              {"addressPrefixes": ["10.9.0.0/16", "10.8.0.0/16"], "asPath": "65001", "nextHops": ["/x/virtualHubs/hub2"]},
              {"addressPrefixes": ["10.8.0.0/16"], "asPath": "65001", "nextHops": ["/x/virtualHubs/hub3"]},
              {"addressPrefixes": ["10.8.0.0/16"], "asPath": "65001", "nextHops": ["/x/virtualHubs/hub2"]}])"),
      ElementsAre(
          "BGP 10.9.0.0/16 hub2", "BGP 10.8.0.0/16 hub2", "BGP 10.8.0.0/16 hub2", "not BGP 10.9.0.0/16 gw1",
          "not BGP 10.8.0.0/16 hub3",
          ": $[0].addressPrefixes[0]: 10.9.0.0/16 by gw1 is not taken: by hub2 the AS path is shorter",
          ": $[2].addressPrefixes[0]: 10.8.0.0/16 by hub3 is not taken: by hub2 it stands before"));
}

// Since API 2025-07-01.
TEST(RoutingRules, SeveralAddressesAreSeveralNextHops) {
  const auto rule = [](const std::string& addresses) {
    return R"([{"name": "r", "destination": {"destinationAddress": "10.0.0.0/8", "type": "AddressPrefix"},
                "nextHop": {"nextHopType": "VirtualAppliance", "nextHopAddress": ")" +
           addresses + R"("}}])";
  };
  EXPECT_THAT(told(rule("10.0.2.20,10.0.2.21")), ElementsAre("User r 10.0.0.0/8 10.0.2.20,10.0.2.21"));
  EXPECT_THAT(told(rule("10.0.2.20")), ElementsAre("User r 10.0.0.0/8 10.0.2.20"));
  for (const auto* wrong : {"10.0.2.20,10.0.2.20", "10.0.2.20,", "hub", "fe80::1"})
    EXPECT_THAT(told(rule(wrong)), ElementsAre(StartsWith("refused: $[0].nextHop.nextHopAddress: ")))
        << wrong;
}

}  // namespace
}  // namespace sekisho::formats
