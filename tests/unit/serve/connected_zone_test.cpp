// SPDX-License-Identifier: BSD-3-Clause
// A zone that reaches the hosts on the ports' subnets: what is explained, and shown, of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

// 10.0.2.0/24 of port egress, with a User route of 10.0.0.0/8 and 10.0.0.0/16 behind it.
class ConnectedZone : public testing::Test {
 protected:
  ConnectedZone() {
    auto policy = std::make_shared<policy::Policy>(*backend_.policy_);
    policy->config.zones[1].connected = policy->zones[1].connected = true;
    EXPECT_EQ(policy->zones[1].name, "onprem");
    backend_.policy_ = policy;
    backend_.mirror_.neighbours[{2, host_}] = {
        .state = "REACHABLE", .usable = true, .mac = {2, 0, 0, 0, 0, 7}};
    backend_.connected = false;
  }
  void look(const std::set<std::uint32_t>& hosts) {
    const auto exit = backend_.view_.exit;
    backend_.view_ = sync::view(backend_.policy_->config, backend_.mirror_, {}, hosts);
    backend_.view_.exit = exit;
  }
  Json explained(const char* destination) {
    auto request = explain_request;
    request["destination"] = destination;
    return result_of(backend_, request);
  }

  FakeBackend backend_;
  const std::uint32_t host_ = address("10.0.2.7");
};

TEST_F(ConnectedZone, IsExplained) {
  look({});
  const auto unknown = explained("10.0.2.7");
  EXPECT_EQ(unknown["configured"]["drop_reason"], "neighbour_unresolved");
  EXPECT_EQ(unknown["next_hop"], "connected");
  EXPECT_EQ(unknown["candidates"][0]["source"], "connected prefix of port egress");
  EXPECT_EQ(unknown["candidates"][0]["origin"], "System");
  EXPECT_EQ(unknown["candidates"][0]["why"], "longest prefix");
  EXPECT_EQ(unknown["candidates"][1]["wins"], false);
  EXPECT_EQ(unknown["candidates"][1]["why"], "shorter than 10.0.2.0/24");
  EXPECT_EQ(explained("10.0.2.0")["configured"]["drop_reason"], "null_route");

  look({host_});
  const auto known = explained("10.0.2.7");
  EXPECT_EQ(known["configured"]["verdict"], "forward");
  EXPECT_EQ(known["next_hop"], "host-10-0-2-7");
  EXPECT_EQ(known["members"][0]["mac"], "02:00:00:00:00:07");
  EXPECT_EQ(known["candidates"][0]["source"], "host on port egress");
  EXPECT_EQ(known["candidates"][1]["why"], "shorter than 10.0.2.7/32");
  EXPECT_EQ(explained("9.9.9.9")["next_hop"], "Internet");
}

TEST_F(ConnectedZone, AgreesWithTheDataplane) {
  look({});
  backend_.connected = true;
  backend_.decision = agreeing();
  backend_.decision.clear_adjacency();
  backend_.decision.set_next_hop("connected");
  backend_.decision.set_drop_reason("neighbour_unresolved");
  backend_.decision.mutable_prefix()->set_address(address("10.0.2.0"));
  backend_.decision.mutable_prefix()->set_length(24);
  const auto said = explained("10.0.2.7");
  EXPECT_EQ(said["dataplane"]["agrees"], true) << said;
  EXPECT_EQ(said["verdict"], "wait") << "a packet would not be dropped at once";
  EXPECT_EQ(said["drop_reason"], "neighbour_unresolved") << "what becomes of it if nobody answers";
}

TEST_F(ConnectedZone, IsShownAmongTheRoutes) {
  look({host_});
  const Json all{{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}};
  std::vector<std::string> shown;
  for (const auto& route : result_of(backend_, all)) {
    shown.push_back(route["prefix"].get<std::string>() + " " + route["next_hop"].get<std::string>());
  }
  EXPECT_THAT(shown,
              testing::IsSupersetOf({"10.0.1.0/24 connected", "10.0.2.0/24 connected", "10.0.2.0/32 None",
                                     "10.0.2.7/32 host-10-0-2-7", "10.0.2.255/32 None"}));
  EXPECT_EQ(std::set<std::string>(shown.begin(), shown.end()).size(), shown.size());
  auto one = all;
  one["prefix"] = "10.0.2.7/32";
  ASSERT_EQ(result_of(backend_, one).size(), 1U);
  EXPECT_EQ(result_of(backend_, one)[0]["source"], "host on port egress");
  one["prefix"] = "10.0.2.0/24";
  one["longer"] = true;
  EXPECT_EQ(result_of(backend_, one).size(), 4U);
  one["zone"] = "internet";
  EXPECT_NE(error_of(backend_, one), "");
}

}  // namespace
}  // namespace sekisho::serve
