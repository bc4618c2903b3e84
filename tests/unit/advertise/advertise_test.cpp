// SPDX-License-Identifier: BSD-3-Clause
// When routes are advertised, what FRR is told, and what is read from its answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_conf.hpp"
#include "control/advertise/frr_state.hpp"
#include "control/advertise/orders.hpp"
#include "control/advertise/originator.hpp"
#include "control/advertise/vigil.hpp"
#include "control/serve/may_advertise.hpp"

namespace sekisho::advertise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr base::Prefix low{0, 1};
constexpr base::Prefix high{1U << 31, 1};
constexpr base::Prefix all{0, 0};

class OriginatorTest : public testing::Test {
 protected:
  OriginatorTest() { originator.follow({.withdraw_after = 2s, .advertise_after = 5s}); }
  Originator originator;
  Originator::Time start{};
};

TEST_F(OriginatorTest, LeavesWhatItFindsUntilItKnows) {
  EXPECT_EQ(originator.wish(start + 1h), Wish::leave);
  originator.judge({}, start);
  EXPECT_EQ(originator.wish(start + 4999ms), Wish::leave) << "its own restart is no event";
  EXPECT_EQ(originator.changes_at(start), start + 5s);
  EXPECT_EQ(originator.wish(start + 5s), Wish::announce);
  EXPECT_EQ(originator.changes_at(start + 5s), std::nullopt);
}

TEST_F(OriginatorTest, IsDampedBothWays) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 10s), Wish::announce);
  originator.judge({"no living member of firewall"}, start + 10s);
  EXPECT_EQ(originator.wish(start + 11999ms), Wish::announce);
  EXPECT_EQ(originator.wish(start + 12s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 12s), ElementsAre("no living member of firewall"));
  originator.judge({}, start + 20s);
  EXPECT_EQ(originator.wish(start + 24s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 24s), ElementsAre("traffic has not been forwarded for 5s yet"));
  EXPECT_EQ(originator.wish(start + 25s), Wish::announce);
  EXPECT_THAT(originator.why_not(start + 25s), IsEmpty());
}

TEST_F(OriginatorTest, WhatFlapsFasterThanItIsDampedChangesNothing) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 5s), Wish::announce);
  for (auto now = start + 10s; now < start + 20s; now += 2s) {
    originator.judge({"down"}, now);
    EXPECT_EQ(originator.wish(now + 1s), Wish::announce);
    originator.judge({}, now + 1s);
    EXPECT_EQ(originator.wish(now + 2s), Wish::announce);
  }
}

TEST_F(OriginatorTest, AVerdictAgainDoesNotBeginAnew) {
  originator.judge({"a"}, start);
  originator.judge({"b"}, start + 1s);
  EXPECT_EQ(originator.wish(start + 2s), Wish::withdraw);
}

TEST_F(OriginatorTest, WhatWasDueBeforeAVerdictHasHappened) {
  originator.judge({"down"}, start);
  originator.judge({}, start + 3s);
  EXPECT_EQ(originator.wish(start + 4s), Wish::withdraw);
}

TEST_F(OriginatorTest, NothingDampsADrain) {
  originator.judge({}, start);
  ASSERT_EQ(originator.wish(start + 5s), Wish::announce);
  originator.drain(true);
  EXPECT_EQ(originator.wish(start + 5s), Wish::withdraw);
  EXPECT_THAT(originator.why_not(start + 5s), ElementsAre("it is being drained"));
  originator.drain(false);
  EXPECT_EQ(originator.wish(start + 5s), Wish::announce);
}

TEST(Vigil, WithdrawsLateWhenControlIsGoneAndAtOnceWhenBothAre) {
  const Vigil::Time start{};
  Vigil vigil{start};
  vigil.dead_after(30s);
  EXPECT_TRUE(vigil.is_to_withdraw(start)) << "nobody is there";
  vigil.dataplane(true);
  EXPECT_FALSE(vigil.is_to_withdraw(start + 29s));
  EXPECT_TRUE(vigil.is_to_withdraw(start + 30s));
  vigil.control_is_there();
  EXPECT_FALSE(vigil.is_to_withdraw(start + 60s));
  vigil.dataplane(false);
  EXPECT_FALSE(vigil.is_to_withdraw(start + 60s)) << "control does";
  vigil.control_is_gone(start + 60s);
  EXPECT_TRUE(vigil.is_to_withdraw(start + 60s));
  vigil.dataplane(true);
  vigil.control_is_gone(start + 80s);
  EXPECT_TRUE(vigil.is_to_withdraw(start + 90s)) << "it has been gone since it went";
}

config::Bgp bgp() {
  config::Bgp result{.asn = 65010};
  result.peers = {{.address = 0x0a000304, .asn = 65515, .preset = config::PeerPreset::azure_route_server},
                  {.address = 0x0a000305,
                   .asn = 65515,
                   .preset = config::PeerPreset::azure_route_server,
                   .prepend = 2,
                   .next_hop = 0x0a000109}};
  result.router_id = 0x0a000104;
  return result;
}

TEST(FrrConf, ForTwoRouteServers) {
  const std::vector<base::Prefix> advertised{low, high};
  EXPECT_EQ(frr_conf(bgp(), advertised),
            R"(! Written by `sekisho bgp apply` from [bgp] in sekisho.toml: edit that, and apply it again.
! What is advertised does not stand here: sekisho-control tells FRR while it may be.
!
ip nht resolve-via-default
!
ip prefix-list sekisho-out seq 5 permit 0.0.0.0/1
ip prefix-list sekisho-out seq 10 permit 128.0.0.0/1
ip prefix-list sekisho-out seq 15 deny any
!
route-map sekisho-in permit 10
 set table 100
exit
!
route-map sekisho-out-10.0.3.4 permit 10
 match ip address prefix-list sekisho-out
exit
!
route-map sekisho-out-10.0.3.5 permit 10
 match ip address prefix-list sekisho-out
 set as-path prepend 65010 65010
 set ip next-hop 10.0.1.9
exit
!
router bgp 65010
 bgp router-id 10.0.1.4
 bgp log-neighbor-changes
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor 10.0.3.4 remote-as 65515
 neighbor 10.0.3.4 description azure-route-server
 neighbor 10.0.3.4 ebgp-multihop 8
 neighbor 10.0.3.4 timers 20 60
 neighbor 10.0.3.4 timers connect 10
 neighbor 10.0.3.5 remote-as 65515
 neighbor 10.0.3.5 description azure-route-server
 neighbor 10.0.3.5 ebgp-multihop 8
 neighbor 10.0.3.5 timers 20 60
 neighbor 10.0.3.5 timers connect 10
 !
 address-family ipv4 unicast
  neighbor 10.0.3.4 activate
  neighbor 10.0.3.4 route-map sekisho-in in
  neighbor 10.0.3.4 route-map sekisho-out-10.0.3.4 out
  neighbor 10.0.3.4 maximum-prefix 20000 restart 5
  neighbor 10.0.3.5 activate
  neighbor 10.0.3.5 route-map sekisho-in in
  neighbor 10.0.3.5 route-map sekisho-out-10.0.3.5 out
  neighbor 10.0.3.5 maximum-prefix 20000 restart 5
 exit-address-family
exit
!
)");
}

TEST(FrrConf, OfOtherPeersOnlyWhatIsKnown) {
  auto other = bgp();
  other.router_id.reset();
  other.peers = {{.address = 0x0a000304, .asn = 64512, .preset = config::PeerPreset::generic}};
  EXPECT_THAT(frr_conf(other, {}),
              Not(testing::AnyOf(HasSubstr("timers 20"), HasSubstr("multihop"), HasSubstr(" bfd"),
                                 HasSubstr("router-id"), HasSubstr("permit 0"))));
  other.peers.front().preset = config::PeerPreset::aws_route_server;
  EXPECT_THAT(frr_conf(other, {}), HasSubstr(" neighbor 10.0.3.4 bfd\n"));
  other.peers.front().preset = config::PeerPreset::gcp_cloud_router;
  EXPECT_THAT(frr_conf(other, {}), HasSubstr(" neighbor 10.0.3.4 timers 20 60\n"));
}

TEST(FrrConf, APeerMaySendTwiceWhatIsLearned) {
  auto many = bgp();
  many.learning.max_prefixes = 2'000'000;
  EXPECT_THAT(frr_conf(many, {}), HasSubstr(" neighbor 10.0.3.4 maximum-prefix 4000000 restart 5\n"));
}

TEST(Foreign, IsWhatSaysSomethingThatWeDidNotWrite) {
  EXPECT_FALSE(is_foreign(frr_conf(bgp(), {})));
  EXPECT_FALSE(is_foreign(""));
  EXPECT_FALSE(
      is_foreign("# default to using syslog. /etc/rsyslog.d/45-frr.conf places the log in\n#\nlog syslog "
                 "informational\n"));
  EXPECT_TRUE(is_foreign("! mine\nrouter bgp 65010\n"));
}

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

class MayAdvertise : public testing::Test {
 protected:
  MayAdvertise() {
    config.internet = config::Internet{.via = "firewall"};
    config.next_hops = {{.name = "firewall", .members = {1, 2}}};
    config.zones = {{.name = "onprem", .ports = {"lan"}, .internet = true}};
    members = {{.port = "egress", .address = 1, .alive = true},
               {.port = "egress2", .address = 2, .alive = true}};
  }
  static serve::Problem problem(std::string_view kind, const std::string& subject) {
    return {kind, true, subject, std::string{kind} + " " + subject, "", std::string{kind} + " " + subject};
  }
  auto why_not(const std::vector<serve::Problem>& problems) const {
    return serve::why_not_advertised(config, members, problems);
  }

  config::Config config;
  std::vector<reach::Member> members;
};

TEST_F(MayAdvertise, WhatForwards) {
  EXPECT_THAT(why_not({}), IsEmpty());
  EXPECT_THAT(why_not({problem("guard_missing", ""), problem("reload_refused", ""), problem("frr_down", "")}),
              IsEmpty());
  EXPECT_THAT(why_not({problem("port_down", "egress")}), IsEmpty())
      << "the other firewall is behind another port";
}

TEST_F(MayAdvertise, NotWhatDoesNot) {
  EXPECT_THAT(why_not({problem("dataplane_down", "")}), ElementsAre("dataplane_down "));
  EXPECT_THAT(why_not({problem("next_hop_down", "firewall")}), ElementsAre("next_hop_down firewall"));
  EXPECT_THAT(why_not({problem("port_down", "lan")}), ElementsAre("port_down lan"));
  EXPECT_THAT(why_not({problem("port_down", "egress"), problem("port_missing", "egress2")}),
              ElementsAre("port_down egress", "port_missing egress2"));
  members[1].alive = false;
  EXPECT_THAT(why_not({problem("port_down", "egress")}), ElementsAre("port_down egress"));
}

}  // namespace
}  // namespace sekisho::advertise
