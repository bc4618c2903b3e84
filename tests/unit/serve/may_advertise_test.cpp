// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "control/serve/may_advertise.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MayAdvertise : public testing::Test {
 protected:
  MayAdvertise() {
    config.internet = config::Internet{.via = "firewall"};
    config.next_hops = {{.name = "firewall", .members = {1, 2}}};
    config.zones = {{.name = "onprem", .ports = {"lan"}, .internet = true}};
    members = {{.port = "egress", .address = 1, .alive = true},
               {.port = "egress2", .address = 2, .alive = true}};
  }
  static Problem problem(std::string_view kind, const std::string& subject) {
    return {kind, true, subject, std::string{kind} + " " + subject, "", std::string{kind} + " " + subject};
  }
  auto why_not(const std::vector<Problem>& problems) const {
    return why_not_advertised(config, members, problems);
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
}  // namespace sekisho::serve
