// SPDX-License-Identifier: BSD-3-Clause
// What BIRD and routers' configurations say that is no route, or none that can be followed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/formats/reader.hpp"
#include "tests/unit/formats/told.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Bird, RefusesWithTheLine) {
  const std::string head = "10.0.0.0/8 unicast [static1 10:00] * (200)\n\tvia 10.0.0.1 on eth0\n";
  EXPECT_THAT(told(head + "something else\n"),
              ElementsAre("refused:3: \"something\" begins no route that BIRD prints"));
  EXPECT_THAT(told(head + "\tnonsense here\n"),
              ElementsAre("refused:3: \"nonsense\" is no word that BIRD prints"));
  EXPECT_THAT(told(head + "\tvia\n"), ElementsAre("refused:3: nothing stands behind \"via\""));
  EXPECT_THAT(told(head + "11.0.0.0/8 unicast [static1 10:00] * (200)\n"),
              ElementsAre("refused:3: is a route without a next hop"));
  EXPECT_THAT(told(head + "\tdev eth1\n"),
              ElementsAre("refused:1: has a next hop without an address among several"));
}

TEST(Bird, WhatShowRouteAllSaysBesidesIsPassedOver) {
  EXPECT_THAT(
      told("10.0.0.0/8 unicast [bgp1 10:00] * (100) [AS65001i]\n\tvia 10.0.0.1 on eth0\n\tType: BGP univ\n"
           "\tBGP.origin: IGP\n"),
      ElementsAre("BGP 10.0.0.0/8 10.0.0.1"));
}

TEST(RouterConfig, RefusesWithTheLine) {
  const std::string head = "ip route 10.0.0.0/8 10.0.0.1\n";
  EXPECT_THAT(told(head + "ip route 10.0.0.0 255.0.255.0 10.0.0.1\n"),
              ElementsAre("refused:2: \"255.0.255.0\" is no mask"));
  EXPECT_THAT(told(head + "ip route 10.0.0.1 255.0.0.0 10.0.0.1\n"),
              ElementsAre(HasSubstr("refused:2: host bits are set")));
  EXPECT_THAT(told(head + "ip route 10.0.0.0/8 10.0.0.1 10.0.0.2\n"),
              ElementsAre("refused:2: 10.0.0.2 is a second next hop"));
  EXPECT_THAT(told(head + "ip route 11.0.0.0/8 10.0.0.1 nonsense\n"),
              ElementsAre("refused:2: \"nonsense\" is no word of a static route that is known here"));
  EXPECT_THAT(told(head + "ip route 11.0.0.0/8 10.0.0.1 tag\n"),
              ElementsAre("refused:2: nothing stands behind \"tag\""));
  EXPECT_THAT(told(head + "ip route 11.0.0.0/8 tag 7\n"),
              ElementsAre("refused:2: is a route without a next hop"));
}

TEST(RouterConfig, ANextHopInAnotherVrfIsLeftOut) {
  EXPECT_THAT(
      told("vrf red\n ip route 10.0.0.0/8 10.0.0.1 nexthop-vrf blue\n ip route 11.0.0.0/8 10.0.0.2\n"),
      ElementsAre("User 11.0.0.0/8 10.0.0.2",
                  ":2: 10.0.0.0/8 is left out: its next hop is in another VRF, \"blue\", and no neighbour of "
                  "this one",
                  ": 1 other line of the configuration is no static route"));
}

}  // namespace
}  // namespace sekisho::formats
