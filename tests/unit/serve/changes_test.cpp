// SPDX-License-Identifier: BSD-3-Clause
// From two looks at the appliance to what has changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "control/serve/changes.hpp"

namespace sekisho::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Problem wrong(std::string_view kind, const std::string& subject, const std::string& sentence) {
  return {.kind = kind, .bad = true, .subject = subject, .sentence = sentence, .reason = sentence};
}

std::vector<std::string> sentences(const std::vector<events::Event>& events) {
  std::vector<std::string> result;
  for (const auto& event : events) {
    result.push_back(event.kind + ": " + event.sentence);
  }
  return result;
}

TEST(Changes, TheFirstLookSaysAll) {
  const Judged now{.verdict = {Word::degraded, {"lan"}},
                   .problems = {wrong("link_down", "lan", "lan is down")}};
  const auto events = changes(std::nullopt, now);
  EXPECT_THAT(sentences(events), ElementsAre("verdict: degraded: lan", "problem: lan is down"));
  EXPECT_EQ(events[0].details["before"], nullptr);
  EXPECT_EQ(events[1].details, Json::parse(R"({"state": "begins", "kind": "link_down", "severity": "bad",
                                               "subject": "lan"})"));
  EXPECT_THAT(changes(now, now), IsEmpty());
}

TEST(Changes, ProblemsBeginAndEnd) {
  const Judged before{
      .verdict = {Word::degraded, {"x"}},
      .problems = {wrong("link_down", "lan", "lan is down"), wrong("guard_missing", "", "no table"),
                   wrong("next_hop_down", "firewall", "dead (FAILED)")}};
  const Judged now{.verdict = {Word::closed, {"x"}},
                   .problems = {wrong("next_hop_down", "firewall", "dead (link down)"),
                                wrong("guard_missing", "", "no program")}};
  const auto events = changes(before, now);
  EXPECT_THAT(sentences(events), ElementsAre("verdict: closed: x", "problem: no program",
                                             "problem: over: lan is down", "problem: over: no table"))
      << "one that goes on for another reason is no news";
  EXPECT_EQ(events[0].details["before"], "degraded");
  EXPECT_EQ(events[2].details["state"], "ends");
}

TEST(Changes, OtherReasonsAreAnotherVerdict) {
  const Judged before{.verdict = {Word::degraded, {"a"}}, .problems = {}};
  const Judged now{.verdict = {Word::degraded, {"b"}}, .problems = {}};
  EXPECT_THAT(sentences(changes(before, now)), ElementsAre("verdict: degraded: b"));
}

TEST(Changes, MembersThatDieAndReturn) {
  config::Config config;
  config.next_hops = {{.name = "firewall", .members = {0x0a00020a, 0x0a00020b}},
                      {.name = "other", .members = {0x0a00020a}}};
  const std::vector<reach::Member> both{
      {.address = 0x0a00020a, .alive = true, .why = "reachable"},
      {.address = 0x0a00020b, .alive = false, .why = "neighbour is FAILED"}};
  auto now = both;
  now[0].alive = false;
  now[0].why = "link egress is down";
  now[1].why = "link egress is down";
  const auto events = changes(config, both, now);
  EXPECT_THAT(sentences(events),
              ElementsAre("member: member 10.0.2.10 of firewall, other is dead: link egress is down"));
  EXPECT_EQ(events[0].details, Json::parse(R"({"member": "10.0.2.10", "next_hops": ["firewall", "other"],
                                               "alive": false, "why": "link egress is down"})"));
  EXPECT_EQ(changes(config, now, both).size(), 1U);
  EXPECT_THAT(changes(config, {}, both), IsEmpty()) << "a member that is new is no news";
}

TEST(Changes, Reloads) {
  EXPECT_EQ(reload_event(tl::unexpected{std::string{"a.toml:3: no"}}).sentence,
            "a reload was refused: a.toml:3: no");
  Reloaded reloaded{.applied = true, .committed = {}, .warnings = {}};
  reloaded.committed.set_transaction(7);
  EXPECT_EQ(reload_event(reloaded).details["transaction"], 7);
  reloaded.applied = false;
  EXPECT_EQ(reload_event(reloaded).details["transaction"], nullptr);
}

TEST(Changes, WhatBgpPeersAreTold) {
  advertise::Status status;
  status.prefixes = {{0, 1}, {1U << 31, 1}};
  const auto announced = advertise_event(true, status);
  EXPECT_EQ(announced.sentence, "BGP peers are told to send traffic here");
  EXPECT_EQ(announced.details,
            Json::parse(R"({"advertised": true, "prefixes": ["0.0.0.0/1", "128.0.0.0/1"], "why": []})"));
  status.failure = frr::Failure{frr::Failure::Kind::refused, "FRR refused a command"};
  EXPECT_EQ(advertise_event(false, status).sentence,
            "BGP peers are told to send no traffic here: FRR refused a command");
  status.why_not = {"no living member of firewall"};
  EXPECT_EQ(advertise_event(false, status).sentence,
            "BGP peers are told to send no traffic here: no living member of firewall");
  EXPECT_EQ(advertise_event(false, {}).sentence,
            "BGP peers are told to send no traffic here: nothing is configured to be advertised");
}

}  // namespace
}  // namespace sekisho::serve
