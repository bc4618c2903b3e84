// SPDX-License-Identifier: BSD-3-Clause
// Whether a load balancer is told to send traffic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/serve/health.hpp"
#include "tests/unit/sample_policy.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Problem fault(std::string_view kind, const std::string& subject = "", bool bad = true) {
  return {.kind = kind, .bad = bad, .subject = subject, .reason = std::string(kind)};
}

std::shared_ptr<const policy::Policy> requiring(const std::string& require) {
  auto config = config::parse(test::ports_and_firewall + std::string{test::gateway} +
                                  std::string{test::internet_and_back} + R"([health]
listen = ["10.0.1.4:8080"]
)" + require,
                              "sekisho.toml");
  return policy::build(std::move(config).value()).value();
}

auto failures(const std::string& require, const std::vector<Problem>& problems) -> std::vector<std::string> {
  return health(*requiring(require), problems, false).failures;
}

TEST(Health, AllIsWell) {
  for (const auto require :
       {"", "require = []", R"(require = ["internet", "exit", "next_hop:gateway", "zone:back"])"}) {
    EXPECT_THAT(failures(require, {}), IsEmpty()) << require;
    EXPECT_THAT(failures(require, {fault("files_changed", "", false), fault("guard_missing")}), IsEmpty());
  }
}

TEST(Health, ADeadDataplaneIsNeverHealthy) {
  for (const auto kind : {"dataplane_down", "dataplane_hung", "no_policy"}) {
    for (const auto require : {"", "require = []", R"(require = ["exit"])"}) {
      EXPECT_THAT(failures(require, {fault(kind)}), ElementsAre(kind)) << require;
    }
  }
}

TEST(Health, DrainingIsNeverHealthy) {
  for (const auto require : {"", "require = []"}) {
    const auto drained = health(*requiring(require), {}, true);
    EXPECT_THAT(drained.failures, ElementsAre("it is being drained"));
    EXPECT_EQ(drained.verdict.word, Word::forwarding);
    EXPECT_EQ(health_json(drained),
              Json::parse(R"({"healthy": false, "verdict": "forwarding", "draining": true,
                              "reasons": ["it is being drained"]})"));
  }
}

TEST(Health, WithoutRequirementsWhatCloses) {
  EXPECT_THAT(failures("", {fault("next_hop_down", "firewall")}), ElementsAre("next_hop_down"));
  EXPECT_THAT(failures("", {fault("link_down", "lan")}), ElementsAre("link_down"));
  EXPECT_THAT(failures("", {fault("next_hop_down", "gateway")}), IsEmpty());
  EXPECT_THAT(failures("", {fault("next_hop_degraded", "firewall", false)}), IsEmpty());
}

TEST(Health, EachRequirement) {
  const std::vector<Problem> firewall{fault("next_hop_down", "firewall")};
  const std::vector<Problem> gateway{fault("next_hop_down", "gateway")};
  const std::vector<Problem> exit{fault("next_hop_down", "Internet")};
  const std::vector<Problem> lan{fault("port_down", "lan")};
  const auto fails = [](const std::string& requirement, const std::vector<Problem>& problems) {
    return !failures("require = [\"" + requirement + "\"]", problems).empty();
  };
  EXPECT_TRUE(fails("internet", firewall) && !fails("internet", gateway) && !fails("internet", exit));
  EXPECT_TRUE(fails("next_hop:gateway", gateway) && !fails("next_hop:gateway", firewall));
  EXPECT_TRUE(fails("exit", exit) && !fails("exit", firewall));
  EXPECT_TRUE(fails("zone:onprem", firewall) && fails("zone:onprem", lan) && !fails("zone:onprem", gateway));
  EXPECT_TRUE(fails("zone:back", gateway) && !fails("zone:back", firewall) && !fails("zone:back", lan));
  EXPECT_THAT(failures("require = []", firewall), IsEmpty()) << "nothing is required";
}

// What fails it first, then what else is wrong.
TEST(Health, AsJson) {
  const auto json =
      health_json(health(*requiring(R"(require = ["next_hop:gateway"])"),
                         {{.kind = "next_hop_down", .subject = "firewall", .reason = "no firewall"},
                          {.kind = "next_hop_down", .subject = "gateway", .reason = "no gateway"}},
                         false));
  EXPECT_EQ(json, Json::parse(R"({"healthy": false, "verdict": "closed", "draining": false,
                                  "reasons": ["no gateway", "no firewall"]})"));
}

}  // namespace
}  // namespace sekisho::serve
