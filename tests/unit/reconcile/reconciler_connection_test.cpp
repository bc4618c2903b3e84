// SPDX-License-Identifier: BSD-3-Clause
// What becomes of the policy, and of whoever waits, when the dataplane goes, returns, hangs, fails or obeys another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconcile/reconciler_lab.hpp"

namespace sekisho::reconcile {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Verb = serve::OverrideRequest::Verb;

struct ReconcilerConnectionTest : testing::Test, ReconcilerLab {
  auto port_failed(const std::string& why) {
    ipc::Event event;
    event.mutable_port()->set_name("lan");
    event.mutable_port()->set_error(why);
    return event;
  }
};

// --- It goes and returns.

TEST_F(ReconcilerConnectionTest, ARestartedDataplaneGetsAllOfItAgain) {
  start_with_dataplane();
  lose_dataplane();
  EXPECT_THAT(log, ElementsAre("the dataplane is gone (it died); waiting for it at dataplane.sock"));
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  settle();
  connect();
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AReloadInFlightWhenItDiesIsRefusedAndLeavesThePolicy) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto ticket = reload(with_branch());
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  log.clear();
  lose_dataplane();
  EXPECT_EQ(outcome(ticket), "the connection to the dataplane was lost: it died");
  EXPECT_THAT(log, ElementsAre(StartsWith("reload refused, the policy stays as it was: the connection"),
                               StartsWith("the dataplane is gone")));
  EXPECT_EQ(brain->policy(), before);
  connect();
  settle();
  expect_in_step();
}

// It may have committed before it was lost: nobody knows. What it may let out stays open until the next commit.
TEST_F(ReconcilerConnectionTest, WhatALostTransactionMayHaveOpenedStaysOpenUntilTheNext) {
  mirror.links[3] = {.index = 3, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
  start(policy("exit = { port = \"egress\" }\n", ""));
  connect();
  settle();
  EXPECT_FALSE(guard.exit);
  reload(policy());
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  disconnect();
  EXPECT_TRUE(guard.exit);
  connect();
  settle();
  EXPECT_FALSE(guard.exit);
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, StepsThatWaitWhenItDiesAreStoredInOrder) {
  start_with_dataplane();
  reload(policy(R"("10.0.2.20")", R"("10.0.2.20", "10.0.2.30")"));
  const auto add = change_route(Verb::add, branch, "other");
  const auto replace = change_route(Verb::replace, branch, "firewall");
  const auto missing = change_route(Verb::del, {0x0b000000, 8}, "");
  const auto rehearsed = rehearse(with_branch());
  settle();
  EXPECT_THAT(outcomes, IsEmpty());
  lose_dataplane();
  EXPECT_EQ(outcome(1), "stored");
  EXPECT_EQ(outcome(add), "stored");
  EXPECT_EQ(outcome(replace), "stored");
  EXPECT_THAT(outcome(missing), HasSubstr("no User route to 11.0.0.0/8"));
  EXPECT_EQ(outcome(rehearsed), "planned");
  connect();
  settle();
  EXPECT_EQ(image.next_hop_of("onprem", branch), "firewall");
  pass(5s);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, ADataplaneThatGoesWhileTheGuardIsClosedGetsTheStepStored) {
  start_with_dataplane();
  const auto next = with_branch();
  const auto ticket = reload(next);
  turn();
  answers_guard = false;
  answer();
  EXPECT_EQ(outcome(ticket), "");
  EXPECT_FALSE(in_flight);
  lose_dataplane();
  connect();
  settle();
  EXPECT_EQ(outcome(ticket), "stored");
  EXPECT_EQ(brain->policy(), next);
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, ADataplaneThatGoesWhileItIsAskedLosesNoStep) {
  start_with_dataplane();
  const auto ticket = reload(with_branch());
  turn();
  EXPECT_THAT(asked, ElementsAre("state"));
  lose_dataplane();
  EXPECT_EQ(outcome(ticket), "stored");
  connect();
  settle();
  expect_in_step();
}

// --- It hangs, or fails.

TEST_F(ReconcilerConnectionTest, AHungDataplaneHoldsUpNoGuardAndNoRefusal) {
  start_with_dataplane();
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  turn();
  ASSERT_TRUE(in_flight);  // and no answer to it
  EXPECT_NE(outcome(reload_of_a_bad_file("bad")), "");
  const auto ticket = reload(with_branch());
  neighbour("10.0.2.11", "FAILED");
  kernel_changed();
  turn();
  pass(20s);
  EXPECT_EQ(outcome(ticket), "");
  disconnect("it has not answered for 20 s");
  EXPECT_EQ(outcome(ticket), "stored");
  connect();
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AVerificationThatIsNotAnsweredHoldsUpNoReload) {
  start_with_dataplane();
  const auto ticket = reload(with_branch());
  turn();
  answer("it hangs");
  ASSERT_TRUE(in_flight);
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, ARefusedWholePolicyIsTriedAgainAtGrowingPauses) {
  start_with_dataplane();
  lose_dataplane();
  connect();
  answer();
  std::vector<std::chrono::milliseconds> pauses;
  log.clear();
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(in_flight);
    answer("no hugepages");
    EXPECT_FALSE(in_flight);
    const auto next = brain->wakes_at();
    ASSERT_TRUE(next);
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(*next - now));
    pass(pauses.back());
  }
  EXPECT_THAT(pauses, ElementsAre(2s, 4s, 8s, 16s, 32s, 60s, 60s));
  EXPECT_THAT(log, ElementsAre("the dataplane has not taken the policy: no hugepages"));
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AFailedPortIsTriedAgainWholeAndItsReturnIsSaid) {
  start_with_dataplane();
  failing_ports["lan"] = "its driver is busy";
  lose_dataplane();
  connect();
  settle();
  EXPECT_EQ(brain->circumstances().failed_ports.at("lan"), "its driver is busy");
  EXPECT_THAT(log, Contains("port lan failed: its driver is busy"));
  // What changes meanwhile does not start it.
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  turn();
  EXPECT_FALSE(in_flight->full);
  answer();
  settle();
  failing_ports.clear();
  pass(2100ms);
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  EXPECT_THAT(log, Contains("port lan runs now"));
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, APortThatFailsLaterIsSaidAndTriedAgain) {
  start_with_dataplane();
  says(port_failed("its link is gone"));
  says(port_failed("its link is gone"));
  EXPECT_THAT(log, ElementsAre("port lan failed: its link is gone"));
  pass(2100ms);
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  ipc::Event runs;
  runs.mutable_port()->set_name("lan");
  runs.mutable_port()->set_running(true);
  says(runs);
  EXPECT_THAT(log, Contains("port lan runs now"));
  settle();
  expect_in_step();
}

// The link is there again before the pause is over.
TEST_F(ReconcilerConnectionTest, AFailedPortWhoseLinkReturnsIsTriedAtOnce) {
  start_with_dataplane();
  mirror.links[1].up = false;
  kernel_changed();
  settle();
  says(port_failed("its link is down"));
  mirror.links[1].up = true;
  kernel_changed();
  turn();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AnExitThatCannotBeMadeIsDownAndTriedAgain) {
  mirror.links[3] = {.index = 3, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
  failing_exit = "there is no TUN";
  start(policy());
  connect();
  settle();
  EXPECT_THAT(log, Contains("next hop Internet: there is no TUN"));
  EXPECT_EQ(brain->view().exit->why, "there is no TUN");
  EXPECT_FALSE(brain->view().exit->ready);
  failing_exit.clear();
  pass(2100ms);
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  EXPECT_NE(brain->view().exit->why, "there is no TUN");
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, APortThatSaysNothingOfItselfHasNotFailed) {
  start_with_dataplane();
  says(port_failed(""));
  EXPECT_FALSE(brain->wakes_at());
}

// --- Others.

TEST_F(ReconcilerConnectionTest, AStrangersTransactionIsHealed) {
  start_with_dataplane();
  image = {};
  stranger_commits();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AStrangersTransactionBetweenOursIsHealedAfterIt) {
  start_with_dataplane();
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  turn();
  image = {};
  in_flight->changes.clear();  // what it changes is not there any more
  stranger_commits();
  answer();
  turn();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AReloadFindsOutThatTheDataplaneHasSomethingElse) {
  start_with_dataplane();
  image = {};
  const auto ticket = reload(policy());
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  EXPECT_THAT(log, Contains(HasSubstr("the dataplane has not what it was told (")));
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AReloadFindsOutThatSomebodyElseHasCommitted) {
  start_with_dataplane();
  ++transaction;
  const auto ticket = reload(with_branch());
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(in_flight->full);
  EXPECT_THAT(log, Contains(HasSubstr("(it is at transaction 2, not 1)")));
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
}

TEST_F(ReconcilerConnectionTest, ATransactionThatWasNotCountedIsHealed) {
  start_with_dataplane();
  ++transaction;
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  settle();
  EXPECT_THAT(log, Contains(HasSubstr("somebody else changes it")));
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, ASecondControlStopsAtOnceItIsSure) {
  start(policy());
  connect();
  for (int i = 0; i < 4; ++i) {
    answer("process 7 commands this dataplane");
    EXPECT_THAT(stopped, IsEmpty());
    pass(500ms);
  }
  answer("process 7 commands this dataplane");
  EXPECT_EQ(stopped, "process 7 commands this dataplane: stop it first, or start this one with --take-over");
}

TEST_F(ReconcilerConnectionTest, ADataplaneWithoutClaimsIsCommandedByWhoeverAsks) {
  start(policy());
  connect();
  is_claimed = true;
  asked.pop_front();
  tell(event::Claimed{tl::unexpected(std::string("this dataplane does not know the request")), false});
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, AHungDataplaneRefusesNoClaim) {
  start(policy());
  connect();
  for (int i = 0; i < 10; ++i) {
    asked.pop_front();
    tell(event::Claimed{tl::unexpected(std::string("it hangs")), true});
    EXPECT_THAT(stopped, IsEmpty());
    EXPECT_EQ(brain->circumstances().not_in_command, "");
    pass(500ms);
  }
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, ForceIsUsedOnce) {
  restart_control(policy(), true);
  connect();
  EXPECT_TRUE(claims_by_force);
  settle();
  lose_dataplane();
  connect();
  EXPECT_FALSE(claims_by_force);
}

TEST_F(ReconcilerConnectionTest, SupersededItRefusesWhatWaitsAndTellsNothing) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto first = reload(policy(R"("10.0.2.20")", R"("10.0.2.20", "10.0.2.30")"));
  const auto second = change_route(Verb::add, branch, "other");
  const auto third = rehearse(policy());
  settle();
  supersede(7);
  for (const auto ticket : {first, second, third}) {
    EXPECT_EQ(
        outcome(ticket),
        "this sekisho-control does not command the dataplane any more: process 7 commands this dataplane");
  }
  EXPECT_THAT(outcome(reload(with_branch())), HasSubstr("process 7 commands this dataplane"));
  EXPECT_THAT(outcome(change_route(Verb::add, branch, "other")), HasSubstr("process 7 commands"));
  EXPECT_THAT(outcome(rehearse(policy())), HasSubstr("process 7 commands"));
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  turn();
  EXPECT_FALSE(in_flight);
  EXPECT_EQ(brain->policy(), before);
  EXPECT_EQ(brain->circumstances().not_in_command, "process 7 commands this dataplane");
  // The other ends; this one asks twice a second.
  pass(500ms);
  answer("process 7 commands this dataplane");
  pass(500ms);
  settle();
  EXPECT_THAT(log, Contains("this sekisho-control commands the dataplane"));
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, SupersededInFlightItIsRefusedAndTriesNoSecondTime) {
  start_with_dataplane();
  const auto ticket = reload(with_branch());
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  supersede(7);
  answer("you do not command");
  EXPECT_EQ(outcome(ticket), "you do not command");
  EXPECT_FALSE(in_flight);
  pass(500ms);
  settle();
  expect_in_step();
}

TEST_F(ReconcilerConnectionTest, SupersededWhileTheGuardIsClosedItTellsNothing) {
  start_with_dataplane();
  const auto ticket = reload(with_branch());
  turn();
  answers_guard = false;
  answer();
  supersede(7);
  EXPECT_THAT(outcome(ticket), HasSubstr("process 7 commands"));
  answer_guard();
  EXPECT_FALSE(in_flight);
}

// --- Hosts on the ports' subnets.

TEST_F(ReconcilerConnectionTest, AHostThatPacketsWantIsAskedForAndThenTold) {
  start(policy("internet = true", "internet = true\nconnected = true"));
  connect();
  settle();
  ipc::Event event;
  event.mutable_wanted()->add_destinations(ip("10.0.2.99"));
  says(event);
  turn();
  EXPECT_THAT(kept.resolved, Contains(std::pair(2, ip("10.0.2.99"))));
  neighbour("10.0.2.99", "REACHABLE");
  kernel_changed();
  settle();
  EXPECT_EQ(image.next_hop_of("onprem", {ip("10.0.2.99"), 32}), reach::host_name(ip("10.0.2.99")));
  // An heir knows it without a packet.
  restart_control(brain->policy());
  connect();
  settle();
  EXPECT_EQ(image.next_hop_of("onprem", {ip("10.0.2.99"), 32}), reach::host_name(ip("10.0.2.99")));
}

}  // namespace
}  // namespace sekisho::reconcile
