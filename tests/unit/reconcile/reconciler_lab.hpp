// SPDX-License-Identifier: BSD-3-Clause
// The reconciler with a world of the test's own: a kernel, a dataplane, operators and a clock, each of which does what it is asked
// when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/reach/host_stack.hpp"
#include "control/reconcile/reconciler.hpp"
#include "control/serve/drain_member.hpp"
#include "tests/unit/reconcile/dataplane_image.hpp"
#include "tests/unit/sample_policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::reconcile {

using test::ip;

inline constexpr base::Prefix branch{0x0a400000, 16};  // 10.64.0.0/16

class ReconcilerLab {
 public:
  using PolicyPtr = std::shared_ptr<const policy::Policy>;

  ReconcilerLab() {
    for (const auto* address : {"10.0.2.10", "10.0.2.11", "10.0.2.20"}) {
      neighbour(address, "REACHABLE");
    }
  }

  // The base with one piece of text replaced. A new one each time.
  auto policy(const std::string& old = "", const std::string& now = "") -> PolicyPtr {
    const auto text = test::replaced(test::internet_by_halves, old, now);
    return policy::read(folder.write("sekisho.toml", text)).value();
  }

  auto with_branch() -> PolicyPtr {
    return policy("routes = [", R"(routes = [{ prefix = "10.64.0.0/16", next_hop = "other" }, )");
  }

  // What the dataplane has is what the policy that runs means now.
  void expect_in_step() const {
    const auto& runs = *brain->policy();
    auto view = sync::view(runs.config, mirror);
    view.drained = kept_drained;
    EXPECT_EQ(image.lines(), test::DataplaneImage(runs, view).lines());
    EXPECT_TRUE(brain->circumstances().is_settled);
  }

  void start(PolicyPtr policy, bool take_over = false) {
    brain = std::make_unique<Reconciler>(Reconciler::Start{.policy = std::move(policy),
                                                           .sources = {},
                                                           .let_out = {},
                                                           .take_over = take_over,
                                                           .dataplane_socket = "dataplane.sock",
                                                           .drained = kept_drained,
                                                           .learned = learned});
    tell(event::Started{});
  }
  // Connected, and it has the whole policy.
  void start_with_dataplane() {
    start(policy());
    connect();
    settle();
    log.clear();
  }

  // --- The kernel.

  void neighbour(const std::string& address, const std::string& state) {
    const bool usable = state == "REACHABLE" || state == "STALE";
    const std::pair key{2, ip(address.c_str())};
    if (state.empty()) {
      mirror.neighbours.erase(key);
    } else {
      mirror.neighbours[key] = {.state = state, .usable = usable, .mac = {2, 0, 0, 0, 1, 10}};
    }
  }
  void exit_is_ready() {
    mirror.links[3] = {.index = 3, .name = "sekisho0", .up = true, .enabled = true, .alias = "sekisho exit"};
    mirror.defaults = {{.link = 2, .metric = 0, .gateway = ip("10.0.2.1")}};
    neighbour("10.0.2.1", "REACHABLE");
    mirror.links[1].forwarding = false;
    const auto wanted = reach::exit_stack(policy()->config, mirror);
    mirror.routes = wanted.routes;
    mirror.rules = wanted.rules;
    for (const auto& [link, settings] : wanted.settings) {
      mirror.links[link].forwarding = settings.forwarding.value_or(mirror.links[link].forwarding);
      mirror.links[link].rp_filter = settings.rp_filter.value_or(mirror.links[link].rp_filter);
    }
  }
  void kernel_changed() { tell(event::KernelChanged{}); }
  // What is wanted of rules and routes is there.
  void kernel_obeys() {
    mirror.rules = kept.wanted.rules;
    mirror.routes = kept.wanted.routes;
    kernel_changed();
  }

  // --- Probes.

  // Who is probed now.
  [[nodiscard]] auto probed() const -> std::set<std::uint32_t> {
    std::set<std::uint32_t> result;
    std::ranges::transform(orders, std::inserter(result, result.end()), &reach::ProbeOrder::member);
    return result;
  }
  void answers_probe(const char* member, int times = 1) {
    for (int i = 0; i < times; ++i) {
      tell(event::Probed{ip(member), {reach::Sample::Result::answered, std::chrono::microseconds{300}, {}}});
    }
  }
  void fails_probe(const char* member, int times = 1) {
    for (int i = 0; i < times; ++i) {
      tell(event::Probed{ip(member), {reach::Sample::Result::failed, {}, "connection refused"}});
    }
  }
  void answer_guard(const std::string& error = "") {
    ASSERT_FALSE(closings.empty());
    const auto number = closings.front();
    closings.pop_front();
    tell(event::GuardClosed{number, result_of(error)});
  }

  // --- The dataplane. Its answers wait in `asked` until they are given.

  void connect() {
    is_connected = true;
    tell(event::Connected{});
  }
  void disconnect(const std::string& reason = "it died") {
    hang_up();
    tell(event::Disconnected{reason});
  }
  void hang_up() {
    is_connected = is_claimed = false;
    asked.clear();
    in_flight.reset();
  }
  // This control is killed and another one starts. The dataplane and the kernel go on.
  void restart_control(PolicyPtr policy, bool take_over = false) {
    hang_up();
    closings.clear();
    turn_is_due = reads_again = false;
    mirror.bound.clear();
    start(std::move(policy), take_over);
  }
  // One that died and was started again: it has nothing.
  void lose_dataplane() {
    image = {};
    transaction = 0;
    disconnect();
  }
  // The first question, as a dataplane that is well would, or refused.
  void answer(const std::string& error = "") {
    ASSERT_FALSE(asked.empty());
    const auto question = asked.front();
    asked.pop_front();
    if (question == "claim") {
      is_claimed = error.empty();
      tell(event::Claimed{result_of(error), false});
    } else if (question == "state") {
      tell(event::StateTold{error.empty() ? tl::expected<ipc::State, std::string>(image.state(transaction))
                                          : tl::unexpected(error)});
    } else {
      auto taken = std::exchange(in_flight, std::nullopt);
      if (!error.empty()) {
        tell(event::TransactionEnded{tl::unexpected(error)});
        return;
      }
      image.apply(taken->full, taken->changes);
      ipc::Committed committed;
      committed.set_transaction(++transaction);
      for (const auto& [port, why] : failing_ports) {
        auto& failed = *committed.add_failed_ports();
        failed.set_name(port);
        failed.set_error(why);
      }
      if (!failing_exit.empty()) {
        committed.mutable_exit()->set_error(failing_exit);
      }
      ++commits;
      tell(event::TransactionEnded{std::move(committed)});
    }
  }
  void says(ipc::Event event) { tell(event::DataplaneSaid{std::move(event)}); }
  void supersede(unsigned process) {
    is_claimed = false;
    ipc::Event event;
    event.mutable_superseded()->set_process(process);
    says(event);
  }
  void stranger_commits() {
    ipc::Event event;
    event.mutable_changed()->set_transaction(++transaction);
    event.mutable_changed()->set_process(4711);
    says(event);
  }

  // --- Operators.

  auto reload(PolicyPtr policy, bool force = false, bool is_trial = false) -> Ticket {
    tell(event::Reload{++last_ticket, force, {.policy = std::move(policy)}, is_trial});
    return last_ticket;
  }
  auto reload_of_a_bad_file(const std::string& reason) -> Ticket {
    tell(event::Reload{
        ++last_ticket, false, {.policy = tl::unexpected(base::Error{"sekisho.toml", 7, reason})}});
    return last_ticket;
  }
  auto rehearse(PolicyPtr policy) -> Ticket {
    tell(event::Rehearse{++last_ticket, {.policy = std::move(policy)}});
    return last_ticket;
  }
  // As the daemon does it: kept first.
  auto drain(const serve::DrainRequest& request) -> tl::expected<void, std::string> {
    return serve::apply(*brain->policy(), brain->view(), request).map([&](sync::Drained drained) {
      kept_drained = drained;
      tell(event::DrainMembers{std::move(drained)});
    });
  }
  auto change_route(serve::OverrideRequest::Verb verb, base::Prefix prefix, std::string next_hop) -> Ticket {
    return change_routes({{verb, "onprem", prefix, std::move(next_hop)}});
  }
  auto change_routes(std::vector<serve::OverrideRequest> changes) -> Ticket {
    tell(event::ChangeRoutes{++last_ticket, {.changes = std::move(changes)}});
    return last_ticket;
  }
  // "applied", "stored", or why it was refused; empty: there is no answer yet.
  [[nodiscard]] std::string outcome(Ticket ticket) const {
    const auto found = outcomes.find(ticket);
    return found == outcomes.end() ? "" : found->second;
  }

  // --- Time.

  void turn() {
    ASSERT_TRUE(turn_is_due);
    turn_is_due = false;
    tell(event::Turn{});
  }
  void pass(std::chrono::milliseconds time) {
    const auto until = now + time;
    while (const auto next = brain->wakes_at()) {
      if (*next > until) {
        break;
      }
      now = std::max(now, *next);
      tell(event::Tick{});
      if (const auto again = brain->wakes_at(); again && *again <= now) {
        break;  // it waits for something else, or the next call
      }
    }
    now = until;
  }
  // All that waits for nothing but its turn: everybody answers well.
  void settle() {
    for (int i = 0; i < 200 && (turn_is_due || !closings.empty() || !asked.empty() || reads_again); ++i) {
      if (!closings.empty()) {
        answer_guard();
      } else if (turn_is_due) {
        turn();
      } else if (std::exchange(reads_again, false)) {
        tell(event::ReadAgain{{.policy = brain->policy()}});
      } else {
        answer();
      }
    }
    EXPECT_TRUE(asked.empty() && !turn_is_due) << "it comes to no rest";
  }

  void tell(Event event) {
    const auto before = brain->policy();
    const auto actions = brain->handle(std::move(event), {now, mirror, has_device});
    bool may_differ = false;
    for (const auto& action : actions) {
      std::visit([&](const auto& what) { carry_out(what); }, action);
      may_differ = may_differ || std::holds_alternative<action::Follow>(action);
    }
    EXPECT_TRUE(may_differ || brain->policy() == before) << "another policy runs, and nobody was told";
    while (answers_guard && !closings.empty()) {
      answer_guard(guard_error);
    }
  }

  sync::Drained kept_drained;                     // on the disk
  std::shared_ptr<const route::Learned> learned;  // before the start
  test::TemporaryFolder folder;
  netlink::Mirror mirror = test::both_ports();
  std::set<std::string> absent_devices;
  std::function<bool(const std::string&)> has_device = [this](const std::string& device) {
    return !absent_devices.contains(device);
  };
  Time now{std::chrono::hours{1}};
  std::unique_ptr<Reconciler> brain;

  bool is_connected = false;
  bool is_claimed = false;
  bool claims_by_force = false;
  std::deque<std::string> asked;  // "claim", "state", "transaction"
  std::optional<action::Transact> in_flight;
  test::DataplaneImage image;
  std::uint64_t transaction = 0;
  int commits = 0;
  std::map<std::string, std::string> failing_ports;  // why
  std::string failing_exit;                          // why

  bool answers_guard = true;  // at once
  std::string guard_error;    // with which it does; empty: it is closed
  std::deque<std::uint64_t> closings;
  guard::Guard guard;  // last asked for
  action::Keep kept;
  std::vector<reach::ProbeOrder> orders;
  bool turn_is_due = false;
  bool reads_again = false;
  Ticket last_ticket = 0;
  std::map<Ticket, std::string> outcomes;
  std::map<Ticket, serve::Plan> plans;
  std::vector<std::string> log;
  std::string stopped;

 private:
  static auto result_of(const std::string& error) -> tl::expected<void, std::string> {
    return error.empty() ? tl::expected<void, std::string>() : tl::unexpected(error);
  }
  void ask(const std::string& question) {
    EXPECT_TRUE(is_connected) << question << " without a dataplane";
    asked.push_back(question);
  }
  void end(Ticket ticket, std::string outcome) {
    EXPECT_TRUE(outcomes.emplace(ticket, std::move(outcome)).second) << "a second answer to " << ticket;
  }

  void carry_out(const action::Say& say) { log.push_back(say.sentence); }
  void carry_out(const action::Yield& /*action*/) { turn_is_due = true; }
  void carry_out(const action::Stop& stop) { stopped = stop.why; }
  void carry_out(const action::Claim& claim) {
    claims_by_force = claim.by_force;
    ask("claim");
  }
  void carry_out(const action::AskState& /*action*/) { ask("state"); }
  void carry_out(const action::Transact& transact) {
    EXPECT_TRUE(is_claimed) << "a transaction without the command";
    EXPECT_FALSE(in_flight) << "two transactions at once";
    ask("transaction");
    in_flight = transact;
  }
  void carry_out(const action::CloseGuard& close) {
    closings.push_back(close.number);
    guard = close.wanted;
  }
  void carry_out(const action::Keep& keep) { kept = keep; }
  void carry_out(const action::Bind& bind) { mirror.bound = bind.bound; }
  void carry_out(const action::CountReturns& count) { mirror.returns = count.returns; }
  void carry_out(const action::ListAgain& /*action*/) {}
  void carry_out(const action::Probe& probe) { orders = probe.orders; }
  void carry_out(const action::ReadFiles& /*action*/) { reads_again = true; }
  void carry_out(const action::Follow& follow) { EXPECT_EQ(follow.policy, brain->policy()); }
  void carry_out(const action::KeepDrained& keep) { kept_drained = keep.drained; }
  void carry_out(const action::Answer& answer) {
    end(answer.ticket, !answer.result           ? answer.result.error()
                       : answer.result->applied ? "applied"
                                                : "stored");
  }
  void carry_out(const action::AnswerPlan& answer) {
    end(answer.ticket, answer.plan ? "planned" : answer.plan.error());
    if (answer.plan) {
      plans.emplace(answer.ticket, *answer.plan);
    }
  }
};

struct ReconcilerTest : testing::Test, ReconcilerLab {
  // Its only member has never been heard of.
  auto to_a_stranger() { return policy(R"("10.0.2.10", "10.0.2.11")", R"("10.0.2.77")"); }
};

}  // namespace sekisho::reconcile
