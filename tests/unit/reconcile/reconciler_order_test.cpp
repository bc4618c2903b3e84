// SPDX-License-Identifier: BSD-3-Clause
// Thousands of things in random order. Whatever the order: one transaction at a time and only in command (the lab sees to both),
// one answer to each request, nothing of what was refused, and after a quiet while the dataplane has what the policy that runs
// means in the world as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/unit/reconcile/reconciler_lab.hpp"

namespace sekisho::reconcile {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Not;
using Verb = serve::OverrideRequest::Verb;

constexpr int steps_of_a_run = 120;

class Chaos : public ReconcilerLab {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {
    mirror.links[3] = {.index = 3, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
    for (const auto& [old, text] : std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"routes = [", R"(routes = [{ prefix = "10.64.0.0/16", next_hop = "other" }, )"},
             {R"("10.0.2.20")", R"("10.0.2.20", "10.0.2.30")"},
             {R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.77")"},
             {R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.10")"},
             {"exit = { port = \"egress\" }\n", ""},
             {"internet = true", "internet = true\nconnected = true"},
             {"install = \"halves\"", "install = \"default\""},
             {"af_xdp:lan0", "af_xdp:lan9"},
             {R"("10.0.2.11"])", R"("10.0.2.11"]
probe = { type = "icmp" })"},
             {R"("10.0.2.11"])", R"("10.0.2.11"]
probe = { type = "tcp", port = 443, hold = "2s" })"},
         }) {
      variants_.push_back(policy(old, text));
    }
    start(copy(0));
    runs_ = brain->policy();
  }

  void run() {
    for (int i = 0; i < steps_of_a_run; ++i) {
      something();
      check();
      if (testing::Test::HasFailure()) {
        return;
      }
    }
    calm_down();
  }

 private:
  int up_to(int most) { return std::uniform_int_distribution{0, most}(random_); }
  bool one_in(int chances) { return up_to(chances - 1) == 0; }
  auto copy(std::size_t variant) const -> PolicyPtr {
    return std::make_shared<policy::Policy>(*variants_[variant]);
  }

  void something() {
    switch (up_to(20)) {
      case 0:
      case 1:
        return change_kernel();
      case 2:
        return kernel_changed();
      case 3:
      case 4:
      case 5:
        return turn_is_due ? turn() : kernel_changed();
      case 6:
        return pass(std::chrono::milliseconds{up_to(3000)});
      case 7:
        return request(one_in(3) ? reload(wanted(), true) : reload(wanted()));
      case 8:
        request(reload_of_a_bad_file("bad"));
        EXPECT_NE(outcome(last_ticket), "");
        return;
      case 9:
        return request(change_route(one_in(3)   ? Verb::del
                                    : one_in(2) ? Verb::add
                                                : Verb::replace,
                                    {0x0a000000 + (static_cast<std::uint32_t>(up_to(2)) << 16), 16},
                                    one_in(4)   ? "nobody"
                                    : one_in(2) ? "other"
                                                : "firewall"));
      case 10:
        return request(rehearse(wanted()));
      case 11:
        return change_connection();
      case 12:
        return is_connected && one_in(2) ? strange_dataplane() : void();
      case 13:
        answers_guard = !one_in(4);
        guard_error = one_in(4) ? "the guard breaks" : "";
        return;
      case 14:
        return closings.empty() ? void() : answer_guard(one_in(4) ? "the guard breaks" : "");
      case 15:
        failing_ports.clear();
        if (one_in(3)) {
          failing_ports["lan"] = "busy";
        }
        return;
      case 16:
        return kernel_obeys();
      case 17:
      case 18:
        return probe();
      default:
        return asked.empty() ? void() : answer(one_in(6) && asked.front() != "claim" ? "refused" : "");
    }
  }

  void request(Ticket ticket) {
    if (outcome(ticket).empty()) {
      open_.insert(ticket);
    }
  }

  auto wanted() -> PolicyPtr {
    auto result = copy(static_cast<std::size_t>(up_to(static_cast<int>(variants_.size()) - 1)));
    offered_[last_ticket + 1] = result;
    return result;
  }

  void change_kernel() {
    switch (up_to(4)) {
      case 0:
        mirror.links[1].up = !mirror.links[1].up;
        break;
      case 1:
        mirror.links[2].mtu = 1400 + static_cast<std::uint32_t>(up_to(1)) * 100;
        break;
      case 2:
        if (one_in(2)) {
          mirror.addresses[1] = {{ip("10.0.1.4"), 24}};
        } else {
          mirror.addresses[1].push_back({ip("10.0.1.5"), 24});
        }
        break;
      default:
        neighbour(one_in(2)   ? "10.0.2.10"
                  : one_in(2) ? "10.0.2.20"
                              : "10.0.2.30",
                  std::array{"REACHABLE", "FAILED", "INCOMPLETE", ""}[static_cast<std::size_t>(up_to(3))]);
    }
    if (!one_in(4)) {
      kernel_changed();
    }
  }

  // Also of who is not probed any more: it was under way.
  void probe() {
    const auto member =
        ip(std::array{"10.0.2.10", "10.0.2.11", "10.0.2.77"}[static_cast<std::size_t>(up_to(2))]);
    const auto result = std::array{reach::Sample::Result::answered, reach::Sample::Result::failed,
                                   reach::Sample::Result::unsent}[static_cast<std::size_t>(up_to(2))];
    for (int i = up_to(3); i >= 0; --i) {
      tell(event::Probed{member, {result, {}, "why"}});
    }
  }

  void change_connection() {
    if (!is_connected) {
      connect();
    } else if (one_in(2)) {
      lose_dataplane();
    } else if (in_flight && one_in(2)) {  // it committed, and nobody hears of it
      image.apply(in_flight->full, in_flight->changes);
      ++transaction;
      disconnect();
    } else {
      disconnect();
    }
  }

  void strange_dataplane() {
    if (!is_claimed) {
      return;
    }
    if (one_in(2)) {
      supersede(7);
      if (in_flight) {
        answer_all_before_transaction();
        answer("you do not command");
      }
    } else if (!in_flight) {
      image = {};
      stranger_commits();
    }
  }
  void answer_all_before_transaction() {
    while (!asked.empty() && asked.front() != "transaction") {
      answer();
    }
  }

  void check() {
    if (brain->policy() == runs_) {
      return;
    }
    // Another runs: one that was asked for, and whose requests have been told so.
    for (const auto& [ticket, policy] : offered_) {
      if (policy == brain->policy()) {
        EXPECT_THAT(outcome(ticket), AnyOf("applied", "stored"));
      }
    }
    runs_ = brain->policy();
  }

  // Everybody is well again, and time passes.
  void calm_down() {
    answers_guard = true;
    guard_error.clear();
    failing_ports.clear();
    while (!closings.empty()) {
      answer_guard();
    }
    if (is_connected && in_flight && !is_claimed) {
      answer_all_before_transaction();
    }
    if (!is_connected) {
      connect();
    }
    kernel_changed();
    for (int i = 0; i < 80; ++i) {
      settle();
      kernel_obeys();
      for (const auto& order : std::vector(orders)) {
        tell(event::Probed{order.member, {reach::Sample::Result::answered, {}, {}}});
      }
      settle();
      pass(std::chrono::seconds{1});
    }
    settle();
    check();
    for (const auto ticket : open_) {
      EXPECT_NE(outcome(ticket), "") << "request " << ticket << " has no answer";
    }
    for (const auto& [ticket, policy] : offered_) {
      if (outcome(ticket) != "applied" && outcome(ticket) != "stored") {
        EXPECT_NE(brain->policy(), policy) << "it runs what it refused";
      }
    }
    expect_in_step();
    EXPECT_EQ(brain->circumstances().not_taken, "");
    EXPECT_TRUE(brain->circumstances().failed_ports.empty());
    EXPECT_FALSE(brain->wakes_at());
    EXPECT_EQ(guard.exit.has_value(), brain->policy()->config.internet->exit.has_value());
  }

  std::mt19937 random_;
  std::vector<PolicyPtr> variants_;
  PolicyPtr runs_;
  std::map<Ticket, PolicyPtr> offered_;
  std::set<Ticket> open_;
};

TEST(ReconcilerOrder, WhateverComesWheneverItComes) {
  // Under the sanitizers, 400 take a minute of a CPU.
  const unsigned seeds = std::getenv("SEKISHO_FULL") != nullptr ? 400 : 100;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    Chaos chaos{seed};
    chaos.run();
    if (testing::Test::HasFailure()) {
      for (const auto& line : chaos.log) {
        std::printf("  %s\n", line.c_str());
      }
      FAIL() << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sekisho::reconcile
