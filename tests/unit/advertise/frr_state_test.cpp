// SPDX-License-Identifier: BSD-3-Clause
// What is read from FRR's answers, and what it is commanded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/advertise/frr_state.hpp"
#include "control/advertise/orders.hpp"
#include "tests/unit/advertise/prefixes.hpp"

namespace sekisho::advertise {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// As FRR 8.4.4 prints it.
constexpr auto running_config = R"(frr version 8.4.4
frr defaults traditional
hostname nva
!
router bgp 65010
 no bgp network import-check
 neighbor 10.0.3.4 remote-as 65515
 !
 address-family ipv4 unicast
  network 0.0.0.0/1
  network 128.0.0.0/1 route-map x
  neighbor 10.0.3.4 activate
 exit-address-family
 !
 address-family ipv6 unicast
  network 2001:db8::/32
 exit-address-family
exit
!
router bgp 65011 vrf red
 !
 address-family ipv4 unicast
  network 10.0.0.0/8
 exit-address-family
exit
!
end
)";

TEST(FrrState, RunningConfig) {
  const auto config = read_running_config(running_config);
  EXPECT_EQ(config.version, "8.4.4");
  EXPECT_THAT(config.asns, ElementsAre(65010U));
  EXPECT_THAT(config.originated, ElementsAre(low, high));
  EXPECT_THAT(read_running_config("frr version 8.4.4\n!\nend\n").asns, IsEmpty());
}

TEST(FrrState, Summary) {
  const auto peers = read_summary(nlohmann::json::parse(R"({"routerId": "10.0.1.4", "as": 65010, "peers": {
    "10.0.3.5": {"remoteAs": 65515, "state": "Active", "pfxRcd": 0},
    "10.0.3.4": {"remoteAs": 65515, "state": "Established", "pfxRcd": 7, "pfxSnt": 2, "peerUptimeEstablishedEpoch": 1795941513},
    "fe80::1": {"remoteAs": 1, "state": "Established"}}})"));
  ASSERT_TRUE(peers);
  EXPECT_THAT(*peers, ElementsAre(PeerState{.address = 0x0a000304,
                                            .asn = 65515,
                                            .state = "Established",
                                            .is_established = true,
                                            .since_unix_ms = 1795941513000,
                                            .received = 7,
                                            .sent = 2},
                                  PeerState{.address = 0x0a000305, .asn = 65515, .state = "Active"}));
  EXPECT_THAT(*read_summary(nlohmann::json::parse("{}")), IsEmpty());
  EXPECT_THAT(*read_summary(nlohmann::json::parse(R"({"warning": "Default BGP instance not found"})")),
              IsEmpty());
  EXPECT_FALSE(read_summary(nlohmann::json::parse("[]")));
  EXPECT_FALSE(read_summary(nlohmann::json::parse(R"({"peers": 1})")));
}

TEST(FrrState, AdvertisedRoutes) {
  EXPECT_THAT(*read_advertised_routes(nlohmann::json::parse(
                  R"({"advertisedRoutes": {"128.0.0.0/1": {}, "0.0.0.0/1": {}}, "totalPrefixCounter": 2})")),
              ElementsAre(low, high));
  EXPECT_THAT(
      *read_advertised_routes(nlohmann::json::parse(R"({"warning": "No such neighbor in this view/vrf"})")),
      IsEmpty());
  EXPECT_FALSE(read_advertised_routes(nlohmann::json::parse("3")));
}

TEST(Commands, TakeAwayBeforeTheyAdd) {
  EXPECT_THAT(commands(65010, {low, high}, {all}),
              ElementsAre("configure terminal", "router bgp 65010", "address-family ipv4 unicast",
                          "no network 0.0.0.0/1", "no network 128.0.0.0/1", "network 0.0.0.0/0"));
}

}  // namespace
}  // namespace sekisho::advertise
