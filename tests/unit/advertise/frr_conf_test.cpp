// SPDX-License-Identifier: BSD-3-Clause
// What FRR is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_conf.hpp"
#include "tests/unit/advertise/prefixes.hpp"

namespace sekisho::advertise {
namespace {

using testing::HasSubstr;
using testing::Not;

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
  EXPECT_EQ(frr_conf(bgp(), {}, advertised),
            R"(! Written by `sekisho bgp apply` from [bgp] in sekisho.toml: edit that, and apply it again.
! What is advertised does not stand here: sekisho-control tells FRR while it may be.
!
ip nht resolve-via-default
no ipv6 forwarding
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
  EXPECT_THAT(frr_conf(other, {}, {}),
              Not(testing::AnyOf(HasSubstr("timers 20"), HasSubstr("multihop"), HasSubstr(" bfd"),
                                 HasSubstr("router-id"), HasSubstr("permit 0"))));
  other.peers.front().preset = config::PeerPreset::aws_route_server;
  EXPECT_THAT(frr_conf(other, {}, {}), HasSubstr(" neighbor 10.0.3.4 bfd\n"));
  other.peers.front().preset = config::PeerPreset::gcp_cloud_router;
  EXPECT_THAT(frr_conf(other, {}, {}), HasSubstr(" neighbor 10.0.3.4 timers 20 60\n"));
}

TEST(FrrConf, PeersAreAskedToKeepWhatTheyWereToldOnlyWhereConfigured) {
  EXPECT_THAT(frr_conf(bgp(), {}, {}), Not(HasSubstr("graceful")));
  auto graceful = bgp();
  graceful.graceful_restart = std::chrono::seconds{90};
  EXPECT_THAT(frr_conf(graceful, {}, {}), HasSubstr(R"( no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart restart-time 90
 neighbor 10.0.3.4 remote-as 65515
)"));
}

TEST(FrrConf, APeerMaySendTwiceWhatIsLearned) {
  auto many = bgp();
  many.learning.max_prefixes = 2'000'000;
  EXPECT_THAT(frr_conf(many, {}, {}), HasSubstr(" neighbor 10.0.3.4 maximum-prefix 4000000 restart 5\n"));
}

TEST(Foreign, IsWhatSaysSomethingThatWeDidNotWrite) {
  EXPECT_THAT(frr_conf(bgp(), {.whole_host = false}, {}), Not(HasSubstr("forwarding")))
      << "that host may forward IPv6 for others";
  EXPECT_FALSE(is_foreign(frr_conf(bgp(), {}, {})));
  EXPECT_THAT(frr_conf(bgp(), {.whole_host = false}, {}), Not(HasSubstr("forwarding")))
      << "that host may forward IPv6 for others";
  EXPECT_FALSE(is_foreign(""));
  EXPECT_FALSE(
      is_foreign("# default to using syslog. /etc/rsyslog.d/45-frr.conf places the log in\n#\nlog syslog "
                 "informational\n"));
  EXPECT_TRUE(is_foreign("! mine\nrouter bgp 65010\n"));
}

}  // namespace
}  // namespace sekisho::advertise
