// SPDX-License-Identifier: BSD-3-Clause
// What Google's routes have in common: a priority, a network's name, a next hop that is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/formats/files.hpp"

namespace sekisho::formats {
namespace {

using testing::ElementsAre;

// A route of the project's network "default".
auto route(const std::string& name, const std::string& prefix, const std::string& rest,
           const std::string& project = "p") -> std::string {
  return R"({"name": ")" + name + R"(", "destRange": ")" + prefix +
         R"(", "network": "https://www.googleapis.com/compute/v1/projects/)" + project +
         R"(/global/networks/default", )" + rest + "}";
}

TEST(Clouds, GooglesRoutesOfOnePriorityShareThePackets) {
  const auto file = tell("[" + route("a", "0.0.0.0/0", R"("nextHopIp": "10.0.0.2", "priority": 900)") + "," +
                         route("b", "0.0.0.0/0", R"("nextHopIp": "10.0.0.3", "priority": 900)") + "," +
                         route("c", "0.0.0.0/0", R"("nextHopIp": "10.0.0.4")") + "," +
                         route("d", "10.9.0.0/16", R"("nextHopIp": "10.0.0.4")") + "," +
                         route("e", "10.9.0.0/16", R"("nextHopIp": "10.0.0.4")") + "]");
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre("0 0.0.0.0/0 10.0.0.2,10.0.0.3", "0 10.9.0.0/16 10.0.0.4",
                                        "0 10.9.0.0/16 10.0.0.4"));
  EXPECT_THAT(file->findings,
              ElementsAre(": $[0]: 2 routes to 0.0.0.0/0 of priority 900 are one, to the next hops of all",
                          ": $[2]: 0.0.0.0/0 of priority 1000 is not in force: another has a lower one"));
}

TEST(Clouds, NextHopsThatNoRouteHasTogetherAreLeftOut) {
  const auto file =
      tell("[" + route("a", "0.0.0.0/0", R"("nextHopIp": "10.0.0.2", "priority": 900)") + "," +
           route("b", "0.0.0.0/0", R"("nextHopVpnTunnel": "https://x/vpnTunnels/t", "priority": 900)") + "," +
           route("c", "0.0.0.0/0", R"("nextHopIp": "10.0.0.4", "priority": 1000)") + "]");
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre());
  EXPECT_THAT(
      file->findings,
      ElementsAre(
          ": $[0]: 2 routes to 0.0.0.0/0 of priority 900 are left out: packets are shared among their "
          "next hops, which are not 2 to 64 addresses",
          ": $[2]: 0.0.0.0/0 of priority 1000 is not in force: another has a lower one"));
}

TEST(Clouds, GooglesTunnelsOfOneNameAreOfTheirRegions) {
  const auto tunnel = [](const std::string& region, const std::string& name) {
    return R"("nextHopVpnTunnel": "https://x/compute/v1/projects/p/regions/)" + region + "/vpnTunnels/" +
           name + "\"";
  };
  const auto file = tell("[" + route("a", "10.1.0.0/16", tunnel("europe-west1", "t")) + "," +
                         route("b", "10.2.0.0/16", tunnel("us-east1", "t")) + "," +
                         route("c", "10.3.0.0/16", tunnel("us-east1", "u")) + "]");
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes,
              ElementsAre("0 10.1.0.0/16 europe-west1/t", "0 10.2.0.0/16 us-east1/t", "0 10.3.0.0/16 u"));
}

TEST(Clouds, GooglesNetworksOfOneNameAreOfTheirProjects) {
  const auto two = "[" + route("a", "0.0.0.0/0", R"("nextHopIp": "10.0.0.2")", "p1") + "," +
                   route("b", "0.0.0.0/0", R"("nextHopIp": "10.0.0.3")", "p2") + "]";
  const auto both = tell(two, "default");
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error(),
            ": holds 2 route tables \"default\": choose by what tells them apart, "
            "\"p1/global/networks/default\", \"p2/global/networks/default\"");
  const auto one = tell(two, "p2/global/networks/default");
  ASSERT_TRUE(one) << one.error();
  EXPECT_THAT(one->routes, ElementsAre("0 0.0.0.0/0 10.0.0.3"));
}

TEST(Clouds, WhatGoogleWarnsOfIsSaid) {
  const auto file = tell("[" +
                         route("a", "0.0.0.0/0",
                               R"("nextHopInstance": "https://x/zones/z/instances/fw",
                                  "warnings": [{"code": "NEXT_HOP_INSTANCE_NOT_FOUND", "message": "m"}])") +
                         "]");
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->routes, ElementsAre("0 0.0.0.0/0 fw"));
  EXPECT_THAT(file->findings,
              ElementsAre(": $[0].warnings[0]: route \"a\" has the warning \"NEXT_HOP_INSTANCE_NOT_FOUND\""));
}

}  // namespace
}  // namespace sekisho::formats
