// SPDX-License-Identifier: BSD-3-Clause
// What is wrong, by what control knows and what the dataplane answers; and whether the dataplane has what it was told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/prefix.hpp"
#include "control/policy/learned.hpp"
#include "control/route/internet.hpp"
#include "control/serve/problems.hpp"
#include "control/sync/agreement.hpp"
#include "control/sync/objects.hpp"
#include "tests/unit/sample_policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::serve {
namespace {

using test::ip;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string configuration = test::ports_and_firewall + R"([zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "0.0.0.0/0", next_hop = "firewall" }]
)";

class ProblemsTest : public testing::Test {
 protected:
  ProblemsTest() {
    policy = policy::read(folder.write("sekisho.toml", configuration)).value();
    is("10.0.2.10", true);
    is("10.0.2.11", true);
    now.transaction = 7;
    live.connected = true;
    obey();
  }

  void is(const char* address, bool usable) {
    mirror.neighbours[{2, ip(address)}] = {
        .state = usable ? "REACHABLE" : "FAILED", .usable = usable, .mac = {2, 0, 0, 0, 0, 10}};
    view = sync::view(policy->config, mirror);
  }
  // The dataplane has all that it was told.
  void obey() {
    const auto told = sync::objects(*policy, view);
    ipc::State state;
    state.set_transaction(7);
    for (const auto& port : told.ports()) {
      auto& running = *state.add_ports();
      running.set_name(port.name());
      running.set_running(true);
      running.set_mtu(1500);
    }
    for (const auto& next_hop : told.next_hops()) {
      auto& known = *state.add_next_hops();
      *known.mutable_next_hop() = next_hop;
      for (const auto& key : next_hop.members()) {
        for (const auto& member : view.members) {
          known.set_alive_members(
              known.alive_members() +
              (member.address == key.address() && member.alive && !key.drained() ? 1 : 0));
        }
      }
    }
    *state.mutable_zones() = told.zones();
    live.state = std::move(state);
  }
  std::vector<Problem> found() const { return problems({*policy, mirror, view, live, now}); }
  std::vector<std::string> kinds() const {
    std::vector<std::string> result;
    for (const auto& problem : found()) {
      EXPECT_NE(std::ranges::find(problem_kinds, problem.kind), problem_kinds.end()) << problem.kind;
      EXPECT_FALSE(problem.sentence.empty() || problem.remedy.empty() || problem.reason.empty())
          << problem.kind;
      result.emplace_back(problem.kind);
    }
    return result;
  }

  test::TemporaryFolder folder;
  std::shared_ptr<const policy::Policy> policy;
  netlink::Mirror mirror = test::both_ports();
  sync::View view;
  Live live;
  Circumstances now;
};

TEST_F(ProblemsTest, AllIsWell) {
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_EQ(severity_of(found()), "ok");
}

TEST_F(ProblemsTest, TheDataplaneIsNotThere) {
  live = {};
  EXPECT_THAT(kinds(), ElementsAre("dataplane_down"));
  EXPECT_EQ(severity_of(found()), "bad");
}

TEST_F(ProblemsTest, TheDataplaneHangs) {
  live.state.reset();
  live.error = "no answer within 5 s";
  EXPECT_THAT(kinds(), ElementsAre("dataplane_hung"));
  EXPECT_THAT(found()[0].sentence, HasSubstr("no answer within 5 s"));
}

TEST_F(ProblemsTest, WorkersThatDoNotPoll) {
  live.state->add_lcores(2);
  live.state->add_lcores(3);
  now.stuck_workers = {3};
  EXPECT_THAT(kinds(), ElementsAre("worker_stuck"));
  EXPECT_EQ(found()[0].sentence, "the dataplane's worker on lcore 3 does not poll its ports");
  now.stuck_workers = {2, 3};
  EXPECT_THAT(kinds(), ElementsAre("dataplane_hung"));
  EXPECT_THAT(found()[0].sentence, HasSubstr("lcore 2, 3 does not poll its ports: nothing is forwarded"));
}

TEST_F(ProblemsTest, AnotherCommands) {
  now.not_in_command = "process 17 commands this dataplane";
  EXPECT_THAT(kinds(), ElementsAre("not_in_command"));
}

TEST_F(ProblemsTest, ThePolicyIsNotThere) {
  live.state = ipc::State{};
  EXPECT_THAT(kinds(), ElementsAre("no_policy"));
  now.not_taken = "zone onprem: no";
  EXPECT_THAT(kinds(), ElementsAre("policy_differs"));
}

TEST_F(ProblemsTest, ThePolicyDiffers) {
  live.state->set_transaction(8);
  EXPECT_THAT(kinds(), ElementsAre("policy_differs"));
  now.is_settled = false;
  EXPECT_THAT(kinds(), IsEmpty());
  now.is_settled = true;
  live.state->set_transaction(7);
  live.state->mutable_zones()->DeleteSubrange(0, 1);
  EXPECT_THAT(found()[0].sentence, HasSubstr("zone onprem is not in the dataplane"));
}

TEST_F(ProblemsTest, PortsAndLinks) {
  live.state->mutable_ports(0)->set_running(false);
  live.state->mutable_ports(0)->set_error("no such device");
  mirror.links[2].up = false;
  is("10.0.2.10", false);
  is("10.0.2.11", false);
  obey();
  live.state->mutable_ports(0)->set_running(false);
  live.state->mutable_ports(0)->set_error("no such device");
  EXPECT_THAT(kinds(), testing::UnorderedElementsAre("port_down", "link_down", "next_hop_down"));
  mirror.links.erase(2);
  EXPECT_THAT(kinds(), testing::Contains("port_missing"));
}

TEST_F(ProblemsTest, FirewallsDieOneByOne) {
  is("10.0.2.11", false);
  obey();
  EXPECT_THAT(kinds(), ElementsAre("next_hop_degraded"));
  EXPECT_EQ(severity_of(found()), "warning");
  EXPECT_EQ(found()[0].reason, "firewall 1 of 2 alive");
  EXPECT_EQ(found()[0].sentence,
            "next hop firewall has 1 of 2 members alive (10.0.2.11: neighbour is FAILED)");
  is("10.0.2.10", false);
  obey();
  EXPECT_THAT(kinds(), ElementsAre("next_hop_down"));
  EXPECT_EQ(found()[0].reason, "no living member of firewall");
  EXPECT_EQ(severity_of(found()), "bad");
}

// It is no fault that a member is drained, as long as another one takes its flows.
TEST_F(ProblemsTest, DrainedMembersAreMissedWhereNothingElseIsAlive) {
  view.drained = {{"firewall", ip("10.0.2.11")}};
  obey();
  EXPECT_THAT(kinds(), IsEmpty());
  is("10.0.2.10", false);
  view.drained = {{"firewall", ip("10.0.2.11")}};
  obey();
  EXPECT_THAT(kinds(), ElementsAre("next_hop_down"));
  EXPECT_EQ(found()[0].sentence,
            "next hop firewall has no living member (10.0.2.10: neighbour is FAILED, 10.0.2.11: drained)");
}

TEST_F(ProblemsTest, TheKernelSaysAliveAndTheDataplaneDoesNot) {
  for (auto& next_hop : *live.state->mutable_next_hops()) {
    next_hop.set_alive_members(0);
  }
  EXPECT_THAT(kinds(), ElementsAre("next_hop_down"));
}

TEST_F(ProblemsTest, GuardReloadAndFiles) {
  now.guard = {"there is no guard"};
  now.changed_files = {"routes.txt has changed"};
  EXPECT_THAT(kinds(), ElementsAre("guard_missing", "files_changed"));
  now.reload_refused = "routes.txt:3: no";
  now.not_served = {"sekisho.toml:9: the page cannot be served on 127.0.0.1:8088: Address already in use"};
  EXPECT_THAT(kinds(), ElementsAre("guard_missing", "reload_refused", "not_served"));
}

TEST_F(ProblemsTest, WhatRunsIsNotTheConfiguration) {
  now.history = {.entries = {},
                 .directory = {},
                 .configuration = "/etc/sekisho/sekisho.toml",
                 .runs = 3,
                 .why_none = {},
                 .pinned = 3,
                 .confirm_until_unix_ms = {},
                 .is_taken_back = false,
                 .why_not_back = {}};
  EXPECT_THAT(kinds(), ElementsAre("not_configured"));
  EXPECT_EQ(found()[0].sentence,
            "policy 3 of the history runs, and is started, instead of /etc/sekisho/sekisho.toml");
  now.changed_files = {"routes.txt has changed"};
  EXPECT_THAT(kinds(), ElementsAre("not_configured"));
  now.history.runs = 4;
  EXPECT_EQ(
      found()[0].sentence,
      "policy 3 of the history is to be started instead of /etc/sekisho/sekisho.toml, and does not run");
  now.history.is_taken_back = true;
  EXPECT_FALSE(found()[0].bad) << "for a moment";
  EXPECT_EQ(found()[0].sentence,
            "policy 3 of the history is being put back: the last reload was not confirmed");
  now.history.why_not_back = "no such device";
  EXPECT_EQ(
      found()[0].sentence,
      "the last reload was not confirmed, and policy 3 of the history is not put back yet: no such device");
  now.history.confirm_until_unix_ms = 1'772'366'400'000;
  EXPECT_THAT(kinds(), ElementsAre("on_trial"));
  EXPECT_EQ(found()[0].sentence,
            "the last reload is on trial: policy 3 of the history is put back at 2026-03-01T12:00:00.000Z "
            "unless it is confirmed");
}

// A zone without a default of its own, which is to be learned.
class FollowingTest : public ProblemsTest {
 protected:
  FollowingTest() {
    const auto text = test::ports_and_firewall + R"([zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
follow_default = true
routes = ["bgp"]
[bgp]
)";
    policy = policy::read(folder.write("sekisho.toml", text)).value();
    learn({});
  }
  // A default that leads this way; no way: none is learned.
  void learn(std::vector<route::LearnedWay> ways) {
    auto learned = std::make_shared<route::Learned>();
    if (!ways.empty()) {
      learned->routes.push_back({.prefix = {}, .way = 0, .protocol = 186});
    }
    learned->ways = std::move(ways);
    policy = policy::with_learned(
        policy, learned,
        {{.name = "egress", .link = 2, .subnets = {{0x0a000200, 24}}, .unicast = {ip("10.0.2.4")}}});
    view = sync::view(policy->config, mirror);
    obey();
  }
  void override_default(const std::string& next_hop) {
    const auto plain = policy::plain(policy);
    const auto learned = policy->taken->learned;
    const auto ports = policy->taken->ports;
    policy = policy::with_learned(
        policy::with_overrides(*plain, {{"onprem", route::default_route, next_hop}}).value(), learned, ports);
    obey();
  }
  auto sentences() const -> std::vector<std::string> {
    std::vector<std::string> result;
    for (const auto& problem : found()) {
      result.push_back(problem.sentence);
    }
    return result;
  }
};

TEST_F(FollowingTest, WithoutADefaultAllIsDropped) {
  EXPECT_THAT(kinds(), ElementsAre("default_not_learned"));
  EXPECT_THAT(sentences(), ElementsAre("zone onprem follows a learned default, and none is learned: what has "
                                       "no other route is dropped"));
  learn({{.hops = {{ip("10.0.2.10"), 2}}}});
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(FollowingTest, AnOverrideIsADefaultToo) {
  override_default("firewall");
  EXPECT_THAT(kinds(), IsEmpty());
  override_default("None");
  EXPECT_THAT(sentences(),
              ElementsAre("zone onprem follows a learned default, and a route for 0.0.0.0/0 that "
                          "goes before it leads to None: what has no other route is dropped"));
}

TEST_F(FollowingTest, ABlackholeIsNoDefault) {
  learn({{.kind = route::LearnedWay::Kind::drop}});
  EXPECT_THAT(kinds(), ElementsAre("default_not_learned"));
  EXPECT_THAT(
      sentences(),
      ElementsAre(
          "zone onprem follows a learned default, and the one that is learned is not taken (it leads to "
          "None: no zone follows a default that drops everything): what has no other route is dropped"));
}

TEST_F(ProblemsTest, AsJson) {
  now.guard = {"there is no guard"};
  const auto json = problems_json(found());
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["kind"], "guard_missing");
  EXPECT_EQ(json[0]["severity"], "bad");
  EXPECT_EQ(json[0]["subject"], nullptr);
}

TEST_F(ProblemsTest, WhatTheDataplaneHasBesides) {
  const auto told = sync::objects(*policy, view);
  EXPECT_EQ(sync::disagreement(*live.state, told), std::nullopt);
  live.state->add_ports()->set_name("strange");
  EXPECT_EQ(sync::disagreement(*live.state, told), "the dataplane has a port strange that it was not told");
  live.state->mutable_ports()->RemoveLast();
  live.state->mutable_next_hops(0)->mutable_next_hop()->set_action(ipc::NextHop::CONNECTED);
  EXPECT_THAT(sync::disagreement(*live.state, told).value_or(""), HasSubstr("is another in the dataplane"));
}

}  // namespace
}  // namespace sekisho::serve
