// SPDX-License-Identifier: BSD-3-Clause
// `ip route` and `ip -j route`: what the kernel does with routes that look like others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/formats/told.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(KernelRoutes, ADefaultOfIpv6IsNoneOfIpv4) {
  EXPECT_THAT(told("default via 10.0.2.1 dev eth0\n"
                   "unreachable default dev lo proto kernel metric 20 error -101 pref medium\n"
                   "default dev ppp0 metric 1024 pref medium\n"
                   "default via fe80::1 dev eth0 proto ra metric 100\n"
                   "default proto static metric 30\n"
                   "\tnexthop via fe80::1 dev eth0 weight 1\n"
                   "\tnexthop via fe80::2 dev eth0 weight 1\n"),
              ElementsAre("User 0.0.0.0/0 10.0.2.1", "4 IPv6"));
  EXPECT_THAT(told(R"([{"dst": "default", "gateway": "10.0.2.1", "dev": "eth0", "flags": []},
               {"type": "unreachable", "dst": "default", "dev": "lo", "metric": 20, "flags": [], "pref": "medium"},
               {"dst": "default", "gateway": "fe80::1", "dev": "eth0", "metric": 30, "flags": []},
               {"dst": "default", "metric": 40, "flags": [], "nexthops": [
                 {"gateway": "fe80::1", "dev": "eth0", "weight": 1, "flags": []}]}])"),
              ElementsAre("User 0.0.0.0/0 10.0.2.1", "3 IPv6"));
}

TEST(KernelRoutes, AnIpv4RouteOverIpv6IsRefused) {
  EXPECT_THAT(told("default via inet6 fe80::1 dev eth0\n"), ElementsAre(StartsWith("refused:1: ")));
  EXPECT_THAT(told(R"([{"dst": "default", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0"}])"),
              ElementsAre(StartsWith("refused: $[0]: ")));
}

// `ip route append` makes the second.
TEST(KernelRoutes, OfTwoOfOneMetricTheFirstIsTaken) {
  EXPECT_THAT(
      told("default via 10.0.0.1 dev eth0 metric 100\n"
           "default via 10.0.0.2 dev eth0 metric 100\n"
           "default via 10.0.0.3 dev eth0 metric 200\n"),
      ElementsAre("User 0.0.0.0/0 10.0.0.1", "not User 0.0.0.0/0 10.0.0.2", "not User 0.0.0.0/0 10.0.0.3",
                  ":2: 0.0.0.0/0 of metric 100 is not in force: another of the same stands before it",
                  ":3: 0.0.0.0/0 of metric 200 is not in force: another has a lower one"));
}

TEST(KernelRoutes, OneOfMarkedPacketsIsLeftOut) {
  EXPECT_THAT(told("default via 10.0.0.1 dev eth0\n"
                   "default tos lowdelay via 10.0.0.2 dev eth0\n"
                   "10.0.0.0/8 tos 0 via 10.0.0.3 dev eth0\n"),
              ElementsAre("User 0.0.0.0/0 10.0.0.1", "User 10.0.0.0/8 10.0.0.3",
                          ":2: default is left out: it is one of packets of TOS \"lowdelay\" only"));
  EXPECT_THAT(told(R"([{"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"},
                       {"dst": "default", "tos": "0x10", "gateway": "10.0.0.2", "dev": "eth0"}])"),
              ElementsAre("User 0.0.0.0/0 10.0.0.1",
                          ": $[1]: default is left out: it is one of packets of TOS \"0x10\" only"));
}

TEST(KernelRoutes, AnEncapsulationIsRefused) {
  EXPECT_THAT(told("10.1.0.0/16 encap mpls 100 via 10.0.0.3 dev eth0\n"),
              ElementsAre("refused:1: puts packets into others (\"encap\"), which is not read"));
  EXPECT_THAT(
      told(
          R"([{"dst": "10.1.0.0/16", "encap": "mpls", "encap_label": "100", "gateway": "10.0.0.3", "dev": "eth0"}])"),
      ElementsAre("refused: $[0]: puts packets into others (\"encap\"), which is not read"));
}

TEST(KernelRoutes, AProtocolMayBeANumber) {
  EXPECT_THAT(
      told("default via 10.0.0.1 dev eth0 proto 16\n"
           "10.0.0.0/24 dev eth0 proto 2 scope link\n"
           "10.1.0.0/16 via 10.0.0.1 dev eth0 proto 9\n"
           "10.2.0.0/16 via 10.0.0.2 dev eth0 proto 186\n"
           "10.3.0.0/16 via 10.0.0.3 dev eth0 proto dhcp\n"
           "10.4.0.0/16 via 10.0.0.4 dev eth0 proto 4\n"),
      ElementsAre("System 0.0.0.0/0 10.0.0.1", "System 10.0.0.0/24 VnetLocal", "System 10.1.0.0/16 10.0.0.1",
                  "BGP 10.2.0.0/16 10.0.0.2", "System 10.3.0.0/16 10.0.0.3", "User 10.4.0.0/16 10.0.0.4"));
}

}  // namespace
}  // namespace sekisho::formats
