// SPDX-License-Identifier: BSD-3-Clause
// What sekisho-control decides, event by event: its start, the kernel, the guard.
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
using testing::IsSupersetOf;
using testing::StartsWith;
using Verb = serve::OverrideRequest::Verb;

// --- The start.

TEST_F(ReconcilerTest, TheGuardIsClosedBeforeAnythingElse) {
  answers_guard = false;
  start(policy());
  EXPECT_TRUE(kept.resolved.empty());
  answer_guard();
  EXPECT_FALSE(kept.resolved.empty());
  EXPECT_TRUE(stopped.empty());
}

TEST_F(ReconcilerTest, AGuardThatCannotBeClosedEndsTheStart) {
  guard_error = "nft is not there";
  start(policy());
  EXPECT_EQ(stopped, "nft is not there");
  EXPECT_TRUE(kept.resolved.empty());
}

TEST_F(ReconcilerTest, WhatADataplaneHasIsAskedBeforeItIsTold) {
  start(policy());
  connect();
  EXPECT_THAT(asked, ElementsAre("claim"));
  answer();
  EXPECT_THAT(asked, ElementsAre("state"));
  answer();
  tell(event::Tick{});
  EXPECT_THAT(asked, IsEmpty()) << "by a view of the kernel that does not know yet which ports run";
  turn();
  EXPECT_THAT(asked, ElementsAre("transaction"));
  EXPECT_TRUE(in_flight->full);
  answer();
  settle();
  expect_in_step();
  EXPECT_THAT(log, Contains(StartsWith("the dataplane has the whole policy: ")));
}

// A kernel that has not resolved a neighbour knows nothing against it.
TEST_F(ReconcilerTest, MembersThatTheDataplaneForwardsToAreTakenOver) {
  start_with_dataplane();
  neighbour("10.0.2.10", "INCOMPLETE");
  restart_control(policy());
  connect();
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
}

TEST_F(ReconcilerTest, ADataplaneThatHangsWhenItIsTakenOverIsAskedAgain) {
  start(policy());
  connect();
  answer();
  answer("it hangs");
  EXPECT_THAT(asked, IsEmpty());
  pass(1900ms);
  EXPECT_THAT(asked, IsEmpty());
  pass(200ms);
  EXPECT_THAT(asked, ElementsAre("state"));
  settle();
  expect_in_step();
}

// The ports run on links that were renamed while no control was there: the files are read again before anything is told.
TEST_F(ReconcilerTest, RenamedPortsAreFollowedBeforeTheFirstTransaction) {
  start_with_dataplane();
  const auto before = image.lines();
  mirror.links[1].name = "wan7";
  restart_control(policy());
  connect();
  answer();
  answer();
  EXPECT_TRUE(reads_again);
  turn();
  EXPECT_THAT(asked, IsEmpty());
  settle();
  EXPECT_EQ(mirror.bound.at({"lan", "af_xdp:lan0"}), 1);
  expect_in_step();
  EXPECT_EQ(image.lines().size(), before.size());
}

// --- The kernel.

TEST_F(ReconcilerTest, ADeadMemberIsToldAtOnceAndAlone) {
  start_with_dataplane();
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  EXPECT_FALSE(in_flight);  // those who wait have their turn
  turn();
  ASSERT_TRUE(in_flight);
  EXPECT_FALSE(in_flight->full);
  EXPECT_EQ(in_flight->changes.size(), 1U);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  expect_in_step();
  EXPECT_THAT(log, Contains("member firewall 10.0.2.10 is down: neighbour is FAILED"));
}

TEST_F(ReconcilerTest, WhatChangesInFlightIsToldInTheNext) {
  start_with_dataplane();
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  turn();
  neighbour("10.0.2.11", "FAILED");
  kernel_changed();
  neighbour("10.0.2.10", "REACHABLE");
  kernel_changed();
  turn();
  EXPECT_EQ(asked.size(), 1U);
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
  EXPECT_FALSE(image.is_alive(ip("10.0.2.11")));
  expect_in_step();
}

TEST_F(ReconcilerTest, AChangeThatIsTakenBackIsNotTold) {
  start_with_dataplane();
  neighbour("10.0.2.10", "FAILED");
  kernel_changed();
  neighbour("10.0.2.10", "REACHABLE");
  kernel_changed();
  const auto before = commits;
  settle();
  EXPECT_EQ(commits, before);
}

TEST_F(ReconcilerTest, WhatBecomesOfAPortsLinkIsSaid) {
  start_with_dataplane();
  mirror.links[1].name = "wan7";
  mirror.links[1].mtu = 1400;
  mirror.links[1].up = false;
  kernel_changed();
  settle();
  EXPECT_THAT(log, IsSupersetOf({"port lan: its interface lan0 is called wan7 now; the port goes on",
                                 "port lan: link wan7 is down",
                                 "port lan: the MTU of wan7 is 1400 now, and was 1500"}));
  mirror.links.erase(1);
  mirror.bound.erase({"lan", "af_xdp:lan0"});  // as netlink does
  kernel_changed();
  settle();
  EXPECT_THAT(log, Contains("port lan: there is no interface lan0"));
  mirror.links[9] = {.index = 9, .name = "lan0", .up = true, .enabled = true, .mtu = 1500};
  kernel_changed();
  settle();
  EXPECT_THAT(log, Contains("port lan: link lan0 is up"));
  EXPECT_EQ(mirror.bound.at({"lan", "af_xdp:lan0"}), 9);
  expect_in_step();
}

TEST_F(ReconcilerTest, TheExitComesAndGoesWithItsGateway) {
  exit_is_ready();
  start_with_dataplane();
  ASSERT_TRUE(brain->view().exit->ready) << brain->view().exit->why;
  EXPECT_THAT(kept.resolved, Contains(std::pair(2, ip("10.0.2.1"))));
  neighbour("10.0.2.1", "FAILED");
  kernel_changed();
  settle();
  EXPECT_THAT(log, Contains("next hop Internet is down: gateway 10.0.2.1 is FAILED"));
  neighbour("10.0.2.1", "REACHABLE");
  kernel_changed();
  settle();
  EXPECT_THAT(log, Contains("next hop Internet is up: by port egress, masqueraded as 10.0.2.4"));
  expect_in_step();
}

TEST_F(ReconcilerTest, ADevicesLinkIsSaid) {
  start_with_dataplane();
  ipc::Event event;
  event.mutable_link()->set_port("lan");
  says(event);
  EXPECT_THAT(log, ElementsAre("port lan: the device's link is down"));
}

// While it is not there nobody knows which interface it is.
TEST_F(ReconcilerTest, WhereTheKernelMayForwardAMissingPortClosesAll) {
  start(policy("[zone.onprem]", "[guard]\nscope = \"ports\"\nallow = [\"docker0\"]\n[zone.onprem]"));
  EXPECT_THAT(*guard.allow, ElementsAre("docker0"));
  log.clear();
  mirror.links.erase(1);
  kernel_changed();
  kernel_changed();
  EXPECT_THAT(*guard.allow, IsEmpty());
  EXPECT_THAT(log, ElementsAre(HasSubstr("until it is, the kernel forwards for nobody")));
}

// --- The guard.

TEST_F(ReconcilerTest, NothingIsToldBeforeTheGuardIsClosed) {
  start_with_dataplane();
  answers_guard = false;
  const auto ticket = reload(with_branch());
  EXPECT_FALSE(turn_is_due);
  kernel_changed();
  turn();
  answer();
  EXPECT_FALSE(in_flight);
  answers_guard = true;
  tell(event::KernelChanged{});
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
}

TEST_F(ReconcilerTest, AReloadWhosePortsCannotBeGuardedIsRefused) {
  start_with_dataplane();
  const auto before = brain->policy();
  guard_error = "nft is not there";
  const auto ticket = reload(with_branch());
  EXPECT_EQ(outcome(ticket), "nft is not there");
  guard_error.clear();
  settle();
  EXPECT_EQ(brain->policy(), before);
  expect_in_step();
}

TEST_F(ReconcilerTest, AGuardThatBreaksWhileAReloadWaitsRefusesItWhenItsTurnComes) {
  start_with_dataplane();
  const auto before = brain->policy();
  const auto ticket = reload(policy(R"("10.0.2.20")", R"("10.0.2.20", "10.0.2.30")"));
  settle();
  guard_error = "somebody holds the table";
  pass(1100ms);
  EXPECT_EQ(outcome(ticket), "somebody holds the table");
  guard_error.clear();
  settle();
  EXPECT_EQ(brain->policy(), before);
  expect_in_step();
}

TEST_F(ReconcilerTest, AStoredReloadIsRefusedWithTheGuard) {
  start_with_dataplane();
  const auto before = brain->policy();
  lose_dataplane();
  guard_error = "somebody holds the table";
  EXPECT_EQ(outcome(reload(with_branch())), "somebody holds the table");
  EXPECT_EQ(outcome(change_route(Verb::add, branch, "other")), "somebody holds the table");
  EXPECT_EQ(brain->policy(), before);
}

TEST_F(ReconcilerTest, AWholePolicyThatCannotBeGuardedIsToldLater) {
  start_with_dataplane();
  lose_dataplane();
  connect();
  guard_error = "somebody holds the table";
  answer();
  EXPECT_FALSE(in_flight);
  EXPECT_EQ(brain->circumstances().not_taken, "somebody holds the table");
  guard_error.clear();
  pass(2100ms);
  settle();
  EXPECT_EQ(brain->circumstances().not_taken, "");
  expect_in_step();
}

// What is let out is let out before the dataplane sends it, and until it has been told to stop.
TEST_F(ReconcilerTest, TheExitOpensBeforeTheCommitAndClosesAfterIt) {
  mirror.links[3] = {.index = 3, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
  start_with_dataplane();
  ASSERT_TRUE(guard.exit);
  const auto ticket = reload(policy("exit = { port = \"egress\" }\n", ""));
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(guard.exit);
  answer();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_FALSE(guard.exit);
  settle();
  const auto back = reload(policy());
  EXPECT_FALSE(guard.exit) << "it waits";
  turn();
  answer();
  ASSERT_TRUE(in_flight);
  EXPECT_TRUE(guard.exit);
  answer("no room");
  answer("no room");
  EXPECT_EQ(outcome(back), "no room");
}

}  // namespace
}  // namespace sekisho::reconcile
