// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/serve/may_advertise.hpp"
#include "tests/unit/sample_policy.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MayAdvertise : public testing::Test {
 protected:
  MayAdvertise() {
    const auto config =
        config::parse(test::ports_and_firewall + std::string{test::gateway} + R"([port.egress2]
device = "af_xdp:egress1"
[internet]
via = "firewall"
install = "default"
exit = { port = "egress" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
)",
                      "sekisho.toml");
    policy = policy::build(config.value()).value();
    members = {{.port = "egress", .address = test::ip("10.0.2.10"), .alive = true},
               {.port = "egress2", .address = test::ip("10.0.2.11"), .alive = true}};
  }
  static Problem problem(std::string_view kind, const std::string& subject) {
    return {kind, true, subject, std::string{kind} + " " + subject, "", std::string{kind} + " " + subject};
  }
  auto why_not(const std::vector<Problem>& problems) const {
    return why_not_advertised(*policy, members, problems);
  }

  std::shared_ptr<const policy::Policy> policy;
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

// An override leads the default to another next hop, and that one's member is behind a port that does not run.
TEST_F(MayAdvertise, ByTheRouteInForce) {
  policy = policy::with_overrides(*policy, {{"onprem", {0, 0}, "gateway"}}).value();
  EXPECT_THAT(why_not({problem("next_hop_down", "firewall")}), IsEmpty());
  EXPECT_THAT(why_not({problem("next_hop_down", "gateway")}), ElementsAre("next_hop_down gateway"));
  members.push_back({.port = "egress2", .address = test::ip("10.0.2.20"), .alive = true});
  EXPECT_THAT(why_not({problem("port_down", "egress2")}), ElementsAre("port_down egress2"));
  EXPECT_THAT(why_not({problem("port_down", "egress")}), IsEmpty());
}

}  // namespace
}  // namespace sekisho::serve
