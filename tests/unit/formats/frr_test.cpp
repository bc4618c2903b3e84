// SPDX-License-Identifier: BSD-3-Clause
// FRR's JSON: which of a route's next hops zebra follows.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/formats/reader.hpp"
#include "tests/unit/formats/told.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;

// A table of another route, and of 10.0.0.0/8 with these next hops.
auto told_of(std::string_view hops, bool selected = true) -> Lines {
  return told(fmt::format(
      R"({{"10.0.0.0/8": [{{"protocol": "static", "selected": {}, "nexthops": [{}]}}],)"
      R"("192.0.2.0/24": [{{"protocol": "static", "selected": true, "nexthops": [{{"fib": true, "ip": "10.0.0.9"}}]}}]}})",
      selected, hops));
}

TEST(Frr, ATableOfOneVrfHasItsName) {
  const test::TemporaryFolder folder;
  const auto name_of = [&](std::string_view member) {
    const auto file = read_routes(
        folder.write("file", fmt::format(R"({{"10.0.0.0/8": [{{"protocol": "static", {}"selected": true,)"
                                         R"("nexthops": [{{"fib": true, "ip": "10.0.0.1"}}]}}]}})",
                                         member)));
    return file ? file->tables.at(0).name + ", " + file->tables[0].place : file.error().to_string();
  };
  EXPECT_EQ(name_of(R"("vrfName": "red", )"), "red, vrf red");
  EXPECT_EQ(name_of(""), "default, vrf default");
}

TEST(Frr, ANextHopInAnotherVrfIsNoNeighbour) {
  EXPECT_THAT(
      told_of(R"({"fib": true, "ip": "10.0.0.1", "vrf": "red"})"),
      ElementsAre(
          "User 192.0.2.0/24 10.0.0.9",
          ": $['10.0.0.0/8'][0]: 10.0.0.0/8 is left out: its next hop is in another VRF, \"red\", and no "
          "neighbour of this one"));
}

TEST(Frr, DifferentWeightsAreAWarning) {
  EXPECT_THAT(
      told_of(R"({"fib": true, "ip": "10.0.0.1", "weight": 10}, {"fib": true, "ip": "10.0.0.2", "weight": 1},
                         {"ip": "10.0.0.3", "weight": 7})"),
      ElementsAre("User 10.0.0.0/8 10.0.0.1,10.0.0.2", "User 192.0.2.0/24 10.0.0.9",
                  ": $['10.0.0.0/8'][0]: 10.0.0.0/8 has next hops of different weights, and all are "
                  "taken alike"));
}

TEST(Frr, AnInterfaceAmongSeveralNextHopsIsRefused) {
  const auto refused =
      ElementsAre("refused: $['10.0.0.0/8'][0].nexthops: have one without an address among several");
  EXPECT_THAT(
      told_of(R"({"fib": true, "ip": "10.0.0.1"}, {"fib": true, "interfaceName": "tun0", "active": true})"),
      refused);
  EXPECT_THAT(told_of(R"({"fib": true, "interfaceName": "tun0"}, {"fib": true, "interfaceName": "tun1"})"),
              refused);
}

TEST(Frr, ANextHopThatIsNotActiveIsNotFollowed) {
  EXPECT_THAT(told_of(R"({"ip": "10.0.0.77"}, {"ip": "10.0.0.78", "active": true})"),
              ElementsAre("User 10.0.0.0/8 10.0.0.78", "User 192.0.2.0/24 10.0.0.9"));
  EXPECT_THAT(told_of(R"({"ip": "10.0.0.77"})"),
              ElementsAre("refused: $['10.0.0.0/8'][0].nexthops: have none that is active and has an address "
                          "or an interface"));
}

TEST(Frr, WhatIsNotSelectedIsForDisplayAndNeverRefused) {
  for (const auto* hops :
       {R"({"ip": "10.0.0.77"})", R"({"ip": "10.0.0.77", "weight": 2}, {"interfaceName": "tun0"})"})
    EXPECT_THAT(told_of(hops, false),
                ElementsAre("User 192.0.2.0/24 10.0.0.9", "not User 10.0.0.0/8 10.0.0.77"))
        << hops;
}

TEST(Frr, AnAddressOfTheRoutersOwnIsLeftOutAndSaid) {
  EXPECT_THAT(
      told(
          R"({"10.0.0.1/32": [{"protocol": "local", "selected": true, "nexthops": [{"interfaceName": "eth0"}]}],
               "10.0.0.0/24": [{"protocol": "connected", "selected": true, "nexthops": [{"fib": true, "interfaceName": "eth0"}]}]})"),
      ElementsAre("System 10.0.0.0/24 VnetLocal", ": 1 route of the host's own addresses is left out"));
}

}  // namespace
}  // namespace sekisho::formats
