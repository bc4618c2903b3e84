// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "control/serve/drain_member.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(NextHop, DrainsAMemberAndSaysSo) {
  FakeBackend backend;
  const Json drain{
      {"command", "next-hop"}, {"verb", "drain"}, {"next_hop", "firewall"}, {"member", "10.0.2.10"}};
  auto request = drain;
  request["member"] = "10.0.9.9";
  EXPECT_EQ(error_of(backend, request), "next hop firewall has no member 10.0.9.9");
  request["member"] = "10.0.2";
  EXPECT_NE(error_of(backend, request), "");
  request = drain;
  request["verb"] = "drop";
  EXPECT_EQ(error_of(backend, request), "\"verb\" is drain or undrain");
  request = drain;
  request["force"] = true;
  const auto done = result_of(backend, request);
  EXPECT_EQ(done["drained"], true);
  EXPECT_EQ(done["changed"], true);
  EXPECT_EQ(result_of(backend, request)["changed"], false);
  const auto shown = result_of(backend, {{"command", "show"}, {"what", "next-hops"}})[0];
  EXPECT_EQ(shown["members"][0]["drained"], true);
  EXPECT_EQ(shown["members"][0]["weight"], 1);
  EXPECT_EQ(result_of(backend, explain_request)["members"][0]["drained"], true);
  request["verb"] = "undrain";
  EXPECT_EQ(result_of(backend, request)["drained"], false);
  EXPECT_TRUE(backend.view_.drained.empty());
}

TEST(NextHop, WhatIsKeptOfDrainedMembersIsReadBack) {
  const sync::Drained drained{{"firewall", address("10.0.2.10")},
                              {"firewall", address("10.0.2.11")},
                              {"other", address("10.0.2.10")}};
  EXPECT_EQ(drained_of(drained_json(drained)), drained);
  for (const auto* other : {"null", "7", "[]", R"({"firewall": 7})", R"({"firewall": [7, "x", null]})"}) {
    EXPECT_TRUE(drained_of(Json::parse(other)).empty()) << other;
  }
}

}  // namespace
}  // namespace sekisho::serve
