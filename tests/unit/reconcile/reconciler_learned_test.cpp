// SPDX-License-Identifier: BSD-3-Clause
// What is learned comes and goes, between all that operators do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/policy/learned.hpp"
#include "tests/unit/reconcile/reconciler_lab.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;

constexpr base::Prefix learned_prefix{0xc0a80100, 24};  // 192.168.1.0/24

struct ReconcilerLearnedTest : testing::Test, ReconcilerLab {
  auto learning(const std::string& more = "", const std::string& of = "") -> PolicyPtr {
    return policy(
        "[zone.internet]\nport = [\"egress\"]\nsources = [\"0.0.0.0/0\"]\nroutes = [",
        "[bgp]\n" + of +
            "\n[zone.internet]\nport = [\"egress\"]\nsources = [\"0.0.0.0/0\"]\nroutes = [\"bgp\", " + more);
  }
  static auto routes(std::vector<base::Prefix> prefixes, const char* gateway = "10.0.2.20")
      -> std::shared_ptr<const route::Learned> {
    auto result = std::make_shared<route::Learned>();
    result->ways = {{.hops = {{ip(gateway), 2}}}};
    for (const auto prefix : prefixes)
      result->routes.push_back({.prefix = prefix, .protocol = 186});
    return result;
  }
  void learn(std::vector<base::Prefix> prefixes, const char* gateway = "10.0.2.20") {
    tell(event::Learned{routes(std::move(prefixes), gateway)});
  }
  void start_learning() {
    start(learning());
    connect();
    settle();
    log.clear();
  }
  [[nodiscard]] auto has_route(base::Prefix prefix) const {
    return std::ranges::any_of(image.lines(), [&](const std::string& line) {
      return line.find(base::to_string(prefix)) != std::string::npos;
    });
  }
};

TEST_F(ReconcilerLearnedTest, ItIsToldAsADifferenceAndAnswersNobody) {
  start_learning();
  learn({learned_prefix});
  turn();
  ASSERT_TRUE(in_flight);
  EXPECT_FALSE(in_flight->full);
  EXPECT_FALSE(brain->circumstances().is_settled);
  settle();
  EXPECT_TRUE(has_route(learned_prefix));
  expect_in_step();
  EXPECT_THAT(outcomes, IsEmpty());
  learn({});
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhoDoesNotAskForItGetsNothing) {
  start_with_dataplane();
  learn({learned_prefix});
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_EQ(commits, 1);
}

TEST_F(ReconcilerLearnedTest, WhatWasLearnedBeforeTheStartIsInTheFirstTransaction) {
  learned = routes({learned_prefix});
  start(learning());
  connect();
  settle();
  EXPECT_EQ(commits, 1);
  EXPECT_TRUE(has_route(learned_prefix));
}

TEST_F(ReconcilerLearnedTest, OnlyTheLastOfManyIsTold) {
  start_learning();
  const auto before = commits;
  learn({learned_prefix});
  learn({});
  learn({branch});
  settle();
  EXPECT_EQ(commits, before + 1);
  EXPECT_TRUE(has_route(branch));
  learn({branch, learned_prefix});
  turn();
  learn({learned_prefix});  // while that is under way
  settle();
  EXPECT_FALSE(has_route(branch));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, AReloadAndAnOverrideTakeItAlong) {
  start_learning();
  learn({learned_prefix});
  settle();
  const auto reloaded = reload(learning("{ prefix = \"10.64.0.0/16\", next_hop = \"other\" }, "));
  settle();
  EXPECT_EQ(outcome(reloaded), "applied");
  EXPECT_TRUE(has_route(learned_prefix) && has_route(branch));
  const auto changed = change_route(serve::OverrideRequest::Verb::add, {0x0a410000, 16}, "other");
  settle();
  EXPECT_EQ(outcome(changed), "applied");
  EXPECT_TRUE(has_route(learned_prefix));
  expect_in_step();
  learn({});
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_EQ(brain->policy()->overrides.size(), 1U);
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhatIsLearnedWhileAReloadWaitsIsInIt) {
  start_learning();
  const auto reloaded = reload(learning("{ prefix = \"10.64.0.0/16\", next_hop = \"other\" }, "));
  learn({learned_prefix});
  settle();
  EXPECT_EQ(outcome(reloaded), "applied");
  EXPECT_TRUE(has_route(learned_prefix) && has_route(branch));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, AReloadThatAsksForNothingEndsIt) {
  start_learning();
  learn({learned_prefix});
  settle();
  reload(policy());
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_EQ(brain->policy()->taken, nullptr);
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhatIsOnItsWayWhenAReloadEndsItIsNotThereWhenAnotherBeginsIt) {
  start_learning();
  learn({learned_prefix});
  settle();
  reload(policy());
  settle();
  learn({branch, learned_prefix});
  settle();
  reload(learning());
  settle();
  EXPECT_FALSE(has_route(learned_prefix) || has_route(branch)) << "nothing has been listed for it yet";
  learn({branch});
  settle();
  EXPECT_TRUE(has_route(branch));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhatOneTableHadIsNotInAPolicyThatAsksForAnother) {
  start_learning();
  learn({learned_prefix});
  settle();
  const auto plan = rehearse(learning("", "table = 200"));
  settle();
  EXPECT_EQ(plans.at(plan).after->taken, nullptr);
  reload(learning("", "max_prefixes = 5"));
  settle();
  EXPECT_TRUE(has_route(learned_prefix)) << "it is of the same table";
  reload(learning("", "table = 200"));
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  expect_in_step();
  reload(learning("", "protocols = [\"static\"]"));
  settle();
  learn({branch});
  settle();
  EXPECT_TRUE(has_route(branch));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, ARehearsalHasWhatIsLearnedWhileItWaits) {
  start_learning();
  const auto plan = rehearse(learning("{ prefix = \"10.64.0.0/16\", next_hop = \"other\" }, "));
  EXPECT_FALSE(plans.contains(plan));
  learn({learned_prefix});
  settle();
  EXPECT_EQ(plans.at(plan).before->taken->learned->routes.size(), 1U);
  ASSERT_NE(plans.at(plan).after->taken, nullptr);
  EXPECT_EQ(plans.at(plan).after->taken->learned, plans.at(plan).before->taken->learned);
}

TEST_F(ReconcilerLearnedTest, WithoutADataplaneItWaitsForOne) {
  start_learning();
  lose_dataplane();
  learn({learned_prefix});
  settle();
  EXPECT_NE(brain->policy()->taken, nullptr);
  connect();
  settle();
  EXPECT_TRUE(has_route(learned_prefix));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, ARefusalKeepsWhatWasThereAndIsTriedAgain) {
  start_learning();
  learn({learned_prefix});
  turn();
  answer("no memory");
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_THAT(log, Contains("what is learned is not taken: no memory"));
  EXPECT_EQ(brain->circumstances().learned_not_taken, "no memory");
  const auto changed = change_route(serve::OverrideRequest::Verb::add, branch, "other");
  settle();
  EXPECT_EQ(outcome(changed), "applied") << "nobody else is kept waiting";
  pass(10s);
  settle();
  EXPECT_TRUE(has_route(learned_prefix));
  EXPECT_EQ(brain->circumstances().learned_not_taken, "");
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, AConnectionThatIsLostRefusesNothing) {
  start_learning();
  learn({learned_prefix});
  turn();
  ASSERT_TRUE(in_flight);
  lose_dataplane();
  settle();
  EXPECT_EQ(brain->circumstances().learned_not_taken, "");
  EXPECT_NE(brain->policy()->taken, nullptr);
  connect();
  settle();
  EXPECT_TRUE(has_route(learned_prefix)) << "without a pause";
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhatIsUnderWayIsNotMergedAgain) {
  start_learning();
  learn({learned_prefix});
  turn();
  ASSERT_TRUE(in_flight);
  kernel_changed();
  turn();  // while the dataplane is at it
  answer();
  const auto taken = brain->policy();
  settle();
  EXPECT_EQ(brain->policy(), taken);
  EXPECT_TRUE(has_route(learned_prefix));
  learn({branch, learned_prefix});
  turn();
  learn({branch});
  turn();
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_TRUE(has_route(branch)) << "what came meanwhile is not lost";
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, AMemberStaysDrainedThoughNothingLeadsToItForAWhile) {
  constexpr auto gateway = "10.0.2.30";
  const std::pair entry{std::string{"bgp-10-0-2-30"}, ip(gateway)};
  neighbour(gateway, "REACHABLE");
  start_learning();
  learn({learned_prefix}, gateway);
  settle();
  ASSERT_TRUE(drain({.next_hop = entry.first, .member = entry.second, .force = true}));
  settle();
  learn({});
  settle();
  EXPECT_TRUE(kept_drained.contains(entry)) << "a route flaps";
  reload(learning());
  settle();
  EXPECT_TRUE(kept_drained.contains(entry));
  restart_control(learning());
  connect();
  settle();
  EXPECT_TRUE(kept_drained.contains(entry)) << "its peer is not there at the start";
  learned = routes({learned_prefix}, gateway);
  restart_control(learning());
  connect();
  settle();
  EXPECT_TRUE(kept_drained.contains(entry));
  expect_in_step();
  learn({});
  settle();
  EXPECT_TRUE(drain({.next_hop = entry.first, .member = entry.second, .drained = false}));
  EXPECT_TRUE(kept_drained.empty());
  EXPECT_FALSE(drain({.next_hop = entry.first, .member = entry.second, .drained = false}));
}

TEST_F(ReconcilerLearnedTest, ADrainedMemberIsForgottenOnceNothingIsLearned) {
  neighbour("10.0.2.30", "REACHABLE");
  start_learning();
  learn({learned_prefix}, "10.0.2.30");
  settle();
  ASSERT_TRUE(drain({.next_hop = "bgp-10-0-2-30", .member = ip("10.0.2.30"), .force = true}));
  settle();
  reload(policy());
  settle();
  EXPECT_TRUE(kept_drained.empty());
}

TEST_F(ReconcilerLearnedTest, AGatewayThatIsNewIsAskedForFirst) {
  start_learning();
  learn({learned_prefix}, "10.0.2.30");
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  EXPECT_THAT(kept.resolved, Contains(netlink::NeighbourKey(2, ip("10.0.2.30"))));
  neighbour("10.0.2.30", "REACHABLE");
  kernel_changed();
  settle();
  EXPECT_TRUE(has_route(learned_prefix));
  EXPECT_TRUE(image.is_alive(ip("10.0.2.30")));
  learn({learned_prefix}, "10.0.2.31");  // which nobody answers for
  settle();
  pass(1s);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.31")));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, APortThatLosesItsSubnetLosesWhatWasLearnedByIt) {
  start_learning();
  learn({learned_prefix});
  settle();
  mirror.addresses[2].clear();
  kernel_changed();
  settle();
  EXPECT_FALSE(has_route(learned_prefix));
  mirror.addresses[2] = {{ip("10.0.2.4"), 24}};
  kernel_changed();
  settle();
  EXPECT_TRUE(has_route(learned_prefix));
  expect_in_step();
}

TEST_F(ReconcilerLearnedTest, WhatChangesNothingIsNotTold) {
  start_learning();
  learn({learned_prefix});
  settle();
  const auto before = commits;
  auto held = std::make_shared<route::Learned>(*routes({learned_prefix}));
  held->routes[0].held = true;
  tell(event::Learned{held});
  settle();
  EXPECT_EQ(commits, before);
  EXPECT_EQ(brain->policy()->taken->learned, held);
  expect_in_step();
}

}  // namespace
}  // namespace sekisho::reconcile
