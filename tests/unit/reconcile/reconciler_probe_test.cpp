// SPDX-License-Identifier: BSD-3-Clause
// What sekisho-control makes of probes, event by event.
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
using testing::Not;

struct ReconcilerProbeTest : testing::Test, ReconcilerLab {
  auto probing(const std::string& more = "") -> PolicyPtr {
    return policy(R"(members = ["10.0.2.10", "10.0.2.11"])", R"(members = ["10.0.2.10", "10.0.2.11"])"
                                                             "\nprobe = { type = \"tcp\", port = 443" +
                                                                 more + " }");
  }
  // Both have answered.
  void start_probing(const std::string& more = "") {
    start(probing(more));
    kernel_obeys();
    connect();
    settle();
    answers_probe("10.0.2.10");
    answers_probe("10.0.2.11");
    settle();
    ASSERT_TRUE(image.is_alive(ip("10.0.2.10")) && image.is_alive(ip("10.0.2.11")));
    log.clear();
  }
  auto member(const char* address) -> reach::Member {
    return *std::ranges::find(brain->view().members, ip(address), &reach::Member::address);
  }
};

TEST_F(ReconcilerProbeTest, NobodyIsProbedByAnotherWay) {
  start(probing());
  EXPECT_THAT(probed(), IsEmpty());
  const netlink::Rule rule{.priority = 8300, .iif = {}, .table = 0x0a00020a, .mark = 0x0a00020a};
  EXPECT_THAT(kept.wanted.rules, Contains(rule));
  EXPECT_THAT(kept.wanted.routes, Contains(netlink::Route{0x0a00020a, {}, ip("10.0.2.10"), 2}));
  kernel_obeys();
  settle();
  EXPECT_THAT(probed(), ElementsAre(ip("10.0.2.10"), ip("10.0.2.11")));
  mirror.rules.erase(rule);
  kernel_changed();
  settle();
  EXPECT_THAT(probed(), ElementsAre(ip("10.0.2.11")));
}

TEST_F(ReconcilerProbeTest, WhyTheKernelRefusesTheWayIsShown) {
  start(probing());
  mirror.refused["the rule for mark 0xa00020a"] = "Operation not permitted";
  kernel_changed();
  settle();
  EXPECT_THAT(member("10.0.2.10").why, HasSubstr("cannot be sent: the kernel refuses the rule for mark"));
}

TEST_F(ReconcilerProbeTest, AMemberIsSaidWhenItIsKnown) {
  start(probing());
  kernel_obeys();
  connect();
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  EXPECT_THAT(log, Not(Contains(HasSubstr("10.0.2.10"))));
  answers_probe("10.0.2.10");
  fails_probe("10.0.2.11", 3);
  settle();
  EXPECT_THAT(log, Contains("member firewall 10.0.2.10 is up on port egress"));
  EXPECT_THAT(log, Contains("member firewall 10.0.2.11 is down: probe: connection refused"));
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
}

TEST_F(ReconcilerProbeTest, ADeadMemberIsToldAloneAndComesBackAfterItsHold) {
  start_probing();
  const auto before = commits;
  fails_probe("10.0.2.10", 2);
  EXPECT_FALSE(turn_is_due) << "what changes nothing costs nothing";
  fails_probe("10.0.2.10");
  turn();
  ASSERT_TRUE(in_flight);
  EXPECT_EQ(in_flight->changes.size(), 1U);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  EXPECT_EQ(commits, before + 1);
  answers_probe("10.0.2.10", 3);
  pass(29s);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  pass(1s);
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
  EXPECT_EQ(commits, before + 2);
  EXPECT_EQ(member("10.0.2.10").downs, 1U);
  EXPECT_THAT(log, ElementsAre("member firewall 10.0.2.10 is down: probe: connection refused",
                               "member firewall 10.0.2.10 is up on port egress"));
}

// Without another member packets are dropped meanwhile.
TEST_F(ReconcilerProbeTest, TheFirstToComeBackWaitsOutNoHold) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  fails_probe("10.0.2.11", 3);
  settle();
  ASSERT_FALSE(image.is_alive(ip("10.0.2.10")) || image.is_alive(ip("10.0.2.11")));
  answers_probe("10.0.2.11", 3);
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.11")));
  answers_probe("10.0.2.10", 3);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10"))) << "there is another now, whose flows would move";
  pass(30s);
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
}

TEST_F(ReconcilerProbeTest, WhatIsShownFollowsEachProbe) {
  start_probing();
  EXPECT_EQ(member("10.0.2.10").why, "answers its probe");
  EXPECT_EQ(member("10.0.2.10").round_trip, 300us);
  fails_probe("10.0.2.10");
  EXPECT_THAT(member("10.0.2.10").why, HasSubstr("1 of 3 probes lost"));
}

TEST_F(ReconcilerProbeTest, ALinkThatFlapsMovesFlowsOnce) {
  start_probing();
  const auto before = commits;
  for (int i = 0; i < 25; ++i) {
    mirror.links[2].up = false;
    kernel_changed();
    settle();
    EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
    mirror.links[2].up = true;
    kernel_changed();
    settle();
    answers_probe("10.0.2.10", 2);
    pass(200ms);
    settle();
  }
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  EXPECT_LE(commits, before + 1 + 2 * 25) << "the other members, which have no probe, follow the link";
  EXPECT_EQ(member("10.0.2.10").downs, 1U);
}

TEST_F(ReconcilerProbeTest, AProbeDuringATransactionIsToldInTheNext) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  turn();
  ASSERT_TRUE(in_flight);
  fails_probe("10.0.2.11", 3);
  turn();
  EXPECT_EQ(asked.size(), 1U);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  EXPECT_FALSE(image.is_alive(ip("10.0.2.11")));
}

// --- Another control.

TEST_F(ReconcilerProbeTest, AControlThatComesBackInTheMiddleOfAnOutageMovesNothing) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  settle();
  const auto before = image.lines();
  restart_control(probing());
  connect();
  settle();
  EXPECT_EQ(image.lines(), before);
  EXPECT_THAT(probed(), ElementsAre(ip("10.0.2.10"), ip("10.0.2.11")));
  fails_probe("10.0.2.10", 3);
  fails_probe("10.0.2.11", 2);
  answers_probe("10.0.2.11");
  settle();
  EXPECT_EQ(image.lines(), before);
  answers_probe("10.0.2.10", 3);
  settle();
  EXPECT_EQ(image.lines(), before) << "the hold is waited out again";
  pass(30s);
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
}

TEST_F(ReconcilerProbeTest, AProbeThatSpeaksBeforeTheDataplaneIsAskedChangesNothing) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  settle();
  const auto before = image.lines();
  restart_control(probing());
  answers_probe("10.0.2.10", 5);
  connect();
  settle();
  EXPECT_EQ(image.lines(), before);
}

TEST_F(ReconcilerProbeTest, ADataplaneThatComesBackGetsWhatIsKnown) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  settle();
  lose_dataplane();
  connect();
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
  EXPECT_TRUE(image.is_alive(ip("10.0.2.11")));
}

// --- Another configuration.

TEST_F(ReconcilerProbeTest, AReloadThatBringsAProbeMovesNothing) {
  start_with_dataplane();
  const auto ticket = reload(probing());
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
  kernel_obeys();
  settle();
  fails_probe("10.0.2.10", 3);
  settle();
  EXPECT_FALSE(image.is_alive(ip("10.0.2.10")));
}

TEST_F(ReconcilerProbeTest, AReloadThatTakesTheProbeAwayTrustsTheKernelAgain) {
  start_probing();
  fails_probe("10.0.2.10", 3);
  settle();
  reload(policy());
  settle();
  EXPECT_TRUE(image.is_alive(ip("10.0.2.10")));
  kernel_obeys();
  settle();
  EXPECT_THAT(probed(), IsEmpty());
  EXPECT_THAT(kept.wanted.routes, Not(Contains(netlink::Route{0x0a00020a, {}, ip("10.0.2.10"), 2})));
}

TEST_F(ReconcilerProbeTest, AReloadWaitsForTheFirstAnswerOfWhoIsNew) {
  start_with_dataplane();
  neighbour("10.0.2.30", "REACHABLE");
  const auto ticket =
      reload(policy(R"(members = ["10.0.2.10", "10.0.2.11"])", R"(members = ["10.0.2.30"])"
                                                               "\nprobe = { type = \"icmp\" }"));
  settle();
  EXPECT_EQ(outcome(ticket), "");
  kernel_obeys();
  settle();
  EXPECT_EQ(outcome(ticket), "");
  EXPECT_THAT(probed(), Contains(ip("10.0.2.30")));
  answers_probe("10.0.2.30");
  settle();
  EXPECT_EQ(outcome(ticket), "applied");
  EXPECT_TRUE(image.is_alive(ip("10.0.2.30")));
}

TEST_F(ReconcilerProbeTest, AReloadToWhoDoesNotAnswerIsRefused) {
  start_with_dataplane();
  neighbour("10.0.2.30", "REACHABLE");
  const auto ticket =
      reload(policy(R"(members = ["10.0.2.10", "10.0.2.11"])", R"(members = ["10.0.2.30"])"
                                                               "\nprobe = { type = \"icmp\" }"));
  settle();
  kernel_obeys();
  settle();
  fails_probe("10.0.2.30", 3);
  settle();
  pass(5100ms);
  settle();
  EXPECT_THAT(outcome(ticket), HasSubstr("10.0.2.30: probe: connection refused"));
  EXPECT_THAT(probed(), Not(Contains(ip("10.0.2.30"))));
}

}  // namespace
}  // namespace sekisho::reconcile
