// SPDX-License-Identifier: BSD-3-Clause
// What operators ask of it: reloads, overrides, drained members, rehearsals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconcile/reconciler_lab.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Verb = serve::OverrideRequest::Verb;

// --- Reloads.

TEST_F(ReconcilerTest, AReloadIsAskedAboutToldAndThenRuns) {
  start_with_dataplane();
  const auto next = with_branch();
  const auto ticket = reload(next);
  turn();
  EXPECT_THAT(asked, ElementsAre("state"));
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_FALSE(in_flight->full);
  EXPECT_NE(brain->policy(), next);
  EXPECT_EQ(outcome(ticket), "");
  answer();
  EXPECT_EQ(brain->policy(), next);
  EXPECT_EQ(outcome(ticket), "applied");
  settle();
  EXPECT_EQ(image.next_hop_of("internet", branch), "other");
  expect_in_step();
}

TEST_F(ReconcilerTest, ABadFileChangesNothing) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto ticket = reload_of_a_bad_file("no such next hop");
  settle();
  EXPECT_EQ(outcome(ticket), "sekisho.toml:7: no such next hop");
  EXPECT_EQ(brain->policy(), before);
  EXPECT_THAT(log,
              ElementsAre("reload refused, the policy stays as it was: sekisho.toml:7: no such next hop"));
}

TEST_F(ReconcilerTest, ABurstOfReloadsIsOneStepAndEachIsAnswered) {
  start_with_dataplane();
  const auto first = reload(policy());
  const auto second = reload(policy());
  const auto forced = reload(with_branch(), true);
  const auto last = with_branch();
  const auto fourth = reload(last, true);
  const auto before = commits;
  settle();
  for (const auto ticket : {first, second, forced, fourth}) {
    EXPECT_EQ(outcome(ticket), "applied");
  }
  EXPECT_EQ(brain->policy(), last);
  EXPECT_LE(commits - before, 2);
  expect_in_step();
}

TEST_F(ReconcilerTest, AReloadWaitsForMembersThatNobodyKnowsYet) {
  start_with_dataplane();
  const auto ticket = reload(policy(R"("10.0.2.20")", R"("10.0.2.20", "10.0.2.30")"));
  settle();
  EXPECT_EQ(outcome(ticket), "");
  // Who dies meanwhile is dead at once.
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  pass(500ms);
  neighbour("10.0.2.30", "REACHABLE");
  kernel_changed();
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_TRUE(image.is_alive(ip("10.0.2.30")));
  expect_in_step();
}

TEST_F(ReconcilerTest, AReloadThatTakesTheLastLivingMemberIsRefusedAfterItsTime) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto ticket = reload(to_a_stranger());
  settle();
  pass(4900ms);
  settle();
  EXPECT_EQ(outcome(ticket), "");
  pass(200ms);
  settle();
  EXPECT_THAT(outcome(ticket), HasSubstr("would lose its last living member"));
  EXPECT_THAT(outcome(ticket), HasSubstr("with --force"));
  EXPECT_EQ(brain->policy(), before);
  // Neither is anybody asked for any more who only it had.
  EXPECT_THAT(kept.resolved, Not(Contains(std::pair(2, ip("10.0.2.77")))));
  expect_in_step();
}

TEST_F(ReconcilerTest, ForceWaitsForNeighboursAndForNothingElse) {
  start_with_dataplane();
  const auto ticket = reload(to_a_stranger(), true);
  settle();
  EXPECT_EQ(outcome(ticket), "");
  pass(1100ms);
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_THAT(log, Contains(HasSubstr("reload, by force: ")));
}

TEST_F(ReconcilerTest, APortWithoutADeviceIsRefused) {
  start_with_dataplane();
  const auto gone = reload(policy("af_xdp:lan0", "af_xdp:lan9"));
  settle();
  EXPECT_THAT(outcome(gone), HasSubstr("there is no interface lan9"));
  absent_devices.insert("0000:00:04.0");
  const auto dpdk =
      reload(policy("device = \"af_xdp:lan0\"", "device = \"0000:00:04.0\"\naddress = [\"10.0.1.4/24\"]"));
  settle();
  EXPECT_THAT(outcome(dpdk), HasSubstr("port lan would run no more: there is no device 0000:00:04.0"));
  expect_in_step();
}

TEST_F(ReconcilerTest, TwoPortsOfOneInterfaceAreRefused) {
  start_with_dataplane();
  mirror.links[2].altnames = {"lan1"};
  const auto ticket =
      reload(policy("[port.egress]", "[port.third]\ndevice = \"af_xdp:lan1\"\n[port.egress]"));
  EXPECT_THAT(outcome(ticket), HasSubstr("is the interface of port"));
}

TEST_F(ReconcilerTest, AReloadSaysItsWarningsOnceAndGivesThemToWhoeverAsked) {
  start_with_dataplane();
  auto next = std::make_shared<policy::Policy>(*policy());
  next->warnings = {"this is odd"};
  reload(next);
  reload(next);
  EXPECT_THAT(log, ElementsAre("this is odd"));
}

TEST_F(ReconcilerTest, APlanIsOfThisMomentAndKeepsNothing) {
  start_with_dataplane();
  const auto plan = brain->plan({.policy = to_a_stranger()}, {now, mirror, has_device});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->before, brain->policy());
  EXPECT_EQ(plan->harms.size(), 1U);
  EXPECT_FALSE(brain->plan({.policy = policy("af_xdp:lan0", "af_xdp:lan9")}, {now, mirror, has_device})
                   .value()
                   .harms.empty());
  EXPECT_FALSE(turn_is_due);
}

TEST_F(ReconcilerTest, WhatTheDataplaneRefusesIsToldWholeAndThenGivenUp) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto ticket = reload(with_branch());
  turn();
  answer();
  EXPECT_FALSE(in_flight->full);
  answer("no room");
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  EXPECT_EQ(outcome(ticket), "");
  answer("no room at all");
  EXPECT_EQ(outcome(ticket), "no room at all");
  EXPECT_EQ(brain->policy(), before);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerTest, WhatTheDataplaneRefusesOnceMayStillRun) {
  start_with_dataplane();
  const auto ticket = reload(with_branch());
  turn();
  answer();
  answer("what changes does not fit");
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  expect_in_step();
}

TEST_F(ReconcilerTest, AReadThatComesAfterTheDataplaneHasGoneIsStored) {
  start_with_dataplane();
  lose_dataplane();
  const auto next = with_branch();
  const auto ticket = reload(next);
  EXPECT_EQ(outcome(ticket), "stored");
  EXPECT_EQ(brain->policy(), next);
  connect();
  settle();
  EXPECT_EQ(image.next_hop_of("internet", branch), "other");
  expect_in_step();
}

// Whether neighbours answer is asked of nobody then; what could never come back is refused all the same.
TEST_F(ReconcilerTest, WithoutADataplaneHarmIsStillHarm) {
  start_with_dataplane();
  lose_dataplane();
  EXPECT_EQ(outcome(reload(to_a_stranger())), "stored");
  EXPECT_THAT(outcome(reload(policy("[port.egress]\ndevice = \"af_xdp:egress0\"",
                                    "[port.egress]\ndevice = \"af_xdp:no0\""))),
              HasSubstr("there is no interface no0"));
}

// --- Overrides.

TEST_F(ReconcilerTest, OverridesAreAppliedInOrderAndGoWithTheNextReload) {
  start_with_dataplane();
  const auto add = change_route(Verb::add, branch, "other");
  const auto again = change_route(Verb::add, branch, "firewall");
  const auto replace = change_route(Verb::replace, branch, "firewall");
  settle();
  EXPECT_EQ(outcome(add), "applied");
  EXPECT_THAT(outcome(again), HasSubstr("has a User route to 10.64.0.0/16 already"));
  EXPECT_EQ(outcome(replace), "applied");
  EXPECT_EQ(image.next_hop_of("onprem", branch), "firewall");
  expect_in_step();
  const auto ticket = reload(policy());
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_EQ(image.next_hop_of("onprem", branch), "");
  EXPECT_THAT(log, Contains("the reload ends 1 override of `sekisho route`"));
}

TEST_F(ReconcilerTest, AnOverrideIsMadeFromWhatRunsWhenItsTurnHasCome) {
  start_with_dataplane();
  const auto reloaded = reload(policy(R"(internet = true)", R"(internet = true
routes = [{ prefix = "10.64.0.0/16", next_hop = "firewall" }])"));
  const auto ticket = change_route(Verb::add, branch, "other");
  settle();
  EXPECT_EQ(outcome(reloaded), "applied");
  EXPECT_THAT(outcome(ticket), HasSubstr("already"));
  EXPECT_EQ(image.next_hop_of("onprem", branch), "firewall");
}

constexpr base::Prefix depot{0x0a410000, 16};  // 10.65.0.0/16

auto change(Verb verb, base::Prefix prefix, const char* next_hop = "") -> serve::OverrideRequest {
  return {verb, "onprem", prefix, next_hop};
}

TEST_F(ReconcilerTest, ABatchIsOneTransactionOrNothing) {
  start_with_dataplane();
  const auto before = commits;
  const auto good =
      change_routes({change(Verb::add, branch, "other"), change(Verb::replace, branch, "firewall"),
                     change(Verb::add, depot, "other")});
  settle();
  EXPECT_EQ(outcome(good), "applied");
  EXPECT_EQ(commits - before, 1);
  EXPECT_EQ(image.next_hop_of("onprem", branch), "firewall");
  const auto bad = change_routes({change(Verb::del, branch), change(Verb::add, depot, "firewall")});
  settle();
  EXPECT_THAT(outcome(bad), HasSubstr("has a User route to 10.65.0.0/16 already"));
  EXPECT_EQ(commits - before, 1);
  EXPECT_EQ(brain->policy()->overrides.size(), 2U);
  expect_in_step();
}

TEST_F(ReconcilerTest, OverridesThatComeMeanwhileAreOneTransactionAndEachIsAnswered) {
  start_with_dataplane();
  const auto before = commits;
  const auto first = change_route(Verb::add, branch, "other");
  const auto second = change_route(Verb::replace, branch, "firewall");
  const auto refused = change_route(Verb::add, branch, "other");
  const auto third = change_route(Verb::add, depot, "other");
  settle();
  EXPECT_EQ(outcome(first), "applied");
  EXPECT_EQ(outcome(second), "applied");
  EXPECT_THAT(outcome(refused), HasSubstr("already, by firewall"));
  EXPECT_EQ(outcome(third), "applied");
  EXPECT_EQ(commits - before, 3) << "the first had begun, and the refused one waited for those before it";
  EXPECT_EQ(image.next_hop_of("onprem", branch), "firewall");
  EXPECT_EQ(image.next_hop_of("onprem", depot), "other");
  expect_in_step();
}

// One that the dataplane has no room for takes none of the others along.
TEST_F(ReconcilerTest, OverridesThatAreRefusedTogetherAreToldOneByOne) {
  start_with_dataplane();
  const auto first = change_route(Verb::add, branch, "other");
  const auto second = change_route(Verb::add, depot, "other");
  const auto third = change_route(Verb::replace, depot, "firewall");
  answer();  // the first's
  turn();
  answer("no room");  // both
  EXPECT_EQ(outcome(second), "");
  EXPECT_EQ(outcome(third), "");
  turn();
  ASSERT_TRUE(in_flight);
  answer("no room");  // the second's
  answer("no room");  // whole
  settle();
  EXPECT_EQ(outcome(first), "applied");
  EXPECT_EQ(outcome(second), "no room");
  EXPECT_EQ(outcome(third), "applied");
  EXPECT_EQ(image.next_hop_of("onprem", depot), "firewall");
  expect_in_step();
}

// What it would have been refused for has never been.
TEST_F(ReconcilerTest, AnOverrideIsNotRefusedForOneThatTheDataplaneRefused) {
  start_with_dataplane();
  const auto first = change_route(Verb::add, branch, "other");
  const auto second = change_route(Verb::add, depot, "other");
  const auto third = change_route(Verb::add, depot, "firewall");
  answer();  // the first's
  turn();
  EXPECT_EQ(outcome(third), "");
  answer("no room");  // the second's
  answer("no room");  // whole
  settle();
  EXPECT_EQ(outcome(first), "applied");
  EXPECT_EQ(outcome(second), "no room");
  EXPECT_EQ(outcome(third), "applied");
  EXPECT_EQ(image.next_hop_of("onprem", depot), "firewall");
  expect_in_step();
}

// One that the guard cannot be closed for takes none of the others along.
TEST_F(ReconcilerTest, OverridesThatTheGuardRefusesTogetherAreTriedOneByOne) {
  start_with_dataplane();
  change_route(Verb::add, branch, "other");
  const auto second = change_route(Verb::add, depot, "other");
  const auto third = change_route(Verb::replace, depot, "firewall");
  answer();  // the first's
  guard_error = "nft refuses";
  turn();
  EXPECT_EQ(outcome(second), "");
  EXPECT_EQ(outcome(third), "");
  guard_error.clear();
  settle();
  EXPECT_EQ(outcome(second), "applied");
  EXPECT_EQ(outcome(third), "applied");
  EXPECT_EQ(image.next_hop_of("onprem", depot), "firewall");
  expect_in_step();
}

// --- Drained members.

TEST_F(ReconcilerTest, ADrainedMemberIsToldAtOnceAndOverARestart) {
  start_with_dataplane();
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  settle();
  expect_in_step();
  EXPECT_THAT(image.lines(), Contains(HasSubstr("drained: true")));
  const auto commits_before = commits;
  restart_control(policy());
  connect();
  settle();
  expect_in_step();
  EXPECT_LE(commits, commits_before + 1) << "the full transaction of a new control";
  EXPECT_THAT(image.lines(), Contains(HasSubstr("drained: true")));
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11"), .drained = false}));
  settle();
  EXPECT_THAT(image.lines(), Not(Contains(HasSubstr("drained: true"))));
}

TEST_F(ReconcilerTest, TheLastLivingMemberIsDrainedByForceOnly) {
  start_with_dataplane();
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  settle();
  const serve::DrainRequest last{.next_hop = "firewall", .member = ip("10.0.2.10")};
  EXPECT_THAT(drain(last).error(), HasSubstr("is the last living member of next hop firewall"));
  auto forced = last;
  forced.force = true;
  EXPECT_TRUE(drain(forced));
  settle();
  expect_in_step();
  EXPECT_TRUE(drain(last)) << "it is drained already";
  EXPECT_EQ(drain({.next_hop = "firewall", .member = ip("10.0.2.20")}).error(),
            "next hop firewall has no member 10.0.2.20");
  EXPECT_EQ(drain({.next_hop = "nobody", .member = ip("10.0.2.10")}).error(),
            "there is no next hop \"nobody\"");
}

TEST_F(ReconcilerTest, ADeadMemberMayBeDrainedThoughItIsTheOnlyOther) {
  start_with_dataplane();
  neighbour("10.0.2.11", "FAILED");
  kernel_changed();
  settle();
  EXPECT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  EXPECT_FALSE(drain({.next_hop = "firewall", .member = ip("10.0.2.10")}));
}

TEST_F(ReconcilerTest, AReloadWithoutTheMemberForgetsThatItWasDrained) {
  start_with_dataplane();
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.10"), .force = true}));
  settle();
  const auto ticket = reload(policy(R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.10")"));
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_EQ(kept_drained, (sync::Drained{{"firewall", ip("10.0.2.10")}}));
  EXPECT_THAT(
      log,
      Contains("10.0.2.11 is no member of next hop firewall any more: that it was drained is forgotten"));
  reload(policy());
  settle();
  expect_in_step();
  EXPECT_EQ(kept_drained, (sync::Drained{{"firewall", ip("10.0.2.10")}})) << "it comes back undrained";
}

// Whoever drained it may not be able to say so again when what ran is put back.
TEST_F(ReconcilerTest, ATrialWithoutTheMemberForgetsNothing) {
  start_with_dataplane();
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  settle();
  const auto ticket = reload(policy(R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.10")"), false, true);
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  reload(policy(), true);
  settle();
  expect_in_step();
  EXPECT_THAT(image.lines(), Contains(HasSubstr("drained: true")));
}

TEST_F(ReconcilerTest, AReloadThatLeavesDrainedMembersOnlyIsRefused) {
  start_with_dataplane();
  ASSERT_TRUE(drain({.next_hop = "firewall", .member = ip("10.0.2.11")}));
  settle();
  const auto ticket = reload(policy(R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.11")"));
  settle();
  pass(5s);
  settle();
  EXPECT_THAT(outcome(ticket), HasSubstr("would lose its last living member"));
}

// --- Rehearsals.

TEST_F(ReconcilerTest, ARehearsalWaitsAsAReloadDoesAndChangesNothing) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto next = to_a_stranger();
  const auto ticket = rehearse(next);
  settle();
  EXPECT_THAT(kept.resolved, Contains(std::pair(2, ip("10.0.2.77"))));
  EXPECT_EQ(outcome(ticket), "");
  pass(5100ms);
  settle();
  EXPECT_EQ(outcome(ticket), "planned");
  EXPECT_EQ(plans.at(ticket).before, before);
  EXPECT_EQ(plans.at(ticket).after, next);
  EXPECT_EQ(plans.at(ticket).harms.size(), 1U);
  EXPECT_EQ(brain->policy(), before);
  expect_in_step();
}

}  // namespace
}  // namespace sekisho::reconcile
