// SPDX-License-Identifier: BSD-3-Clause
// sekisho-control's mind: keeps the dataplane doing what the configuration means, given what the kernel sees. Pure: it is told
// what happened and says what is to be done; sockets, files and timers are other people's (control/reconcile/daemon.hpp), and
// time is an argument.
//
//   files -> Policy --+
//                     +--> View -> transaction -> dataplane
//   kernel -> Mirror -+
//
// The problem is order: links, reloads, overrides, refusals and a dataplane that goes away can come between any two of a
// conversation's sentences. So one conversation is held at a time, and `Phase` says which. Whatever happens meanwhile (a link
// event, a reload, a port that failed) is remembered and told in the next. The policy that runs is replaced only when the
// dataplane has committed the new one, or is not there.
//
//   Starting --guard closed--> Idle
//   Idle --claim granted, first time--> TakingOver --state--> Idle    what an earlier control left is taken over
//   Idle --a reload's turn--> Verifying --state--> Idle               has the dataplane what it was told? else all of it again
//   Idle --a policy's turn--> Closing --guard closed--> Sending --committed--> Idle     it is adopted
//                                                       Sending --refused--> Closing    once more and whole, or it is refused
//   Idle --the view has changed--> Sending (incremental) --> Idle
//   Idle --a policy, and no dataplane--> Closing --guard closed--> Idle                 it is adopted
//   any --connection lost--> Idle, but for a policy that is adopted without a dataplane
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "control/reconcile/action.hpp"
#include "control/reconcile/command.hpp"
#include "control/reconcile/event.hpp"
#include "control/reconcile/failures.hpp"
#include "control/reconcile/guarding.hpp"
#include "control/reconcile/kernel_view.hpp"
#include "control/reconcile/moment.hpp"
#include "control/reconcile/steps.hpp"

namespace sekisho::reconcile {

class Reconciler {
 public:
  struct Start {
    std::shared_ptr<const policy::Policy> policy;
    serve::Sources sources;        // of it
    guard::Guard let_out;          // by an earlier control
    bool take_over = false;        // the command of the dataplane from another that has it
    std::string dataplane_socket;  // for messages
    sync::Drained drained = {};    // since before
    std::shared_ptr<const route::Learned> learned = {};  // null: nothing
  };
  explicit Reconciler(Start start);

  // The first is event::Started; each later one is handled whole before the next.
  [[nodiscard]] auto handle(Event event, const World& world) -> std::vector<Action>;
  // When event::Tick is due; nothing: not without another event.
  [[nodiscard]] auto wakes_at() const -> std::optional<Time>;

  [[nodiscard]] const std::shared_ptr<const policy::Policy>& policy() const noexcept { return policy_; }
  [[nodiscard]] const serve::Sources& sources() const noexcept { return sources_; }
  [[nodiscard]] const sync::View& view() const noexcept { return view_.now(); }
  // What the reconciler knows of them; the guard, files and reloads are others'.
  [[nodiscard]] auto circumstances() const -> serve::Circumstances;
  // The error: why this control is not to change what runs.
  [[nodiscard]] auto may_change() const -> tl::expected<void, std::string>;
  // The error: why nothing can be tried now that is to be taken back.
  [[nodiscard]] auto may_try() const -> tl::expected<void, std::string>;
  // What a reload of this would lead to at this moment, or why it would be refused.
  [[nodiscard]] auto plan(const Reading& reading, const World& world) const
      -> tl::expected<serve::Plan, std::string>;

 private:
  struct Starting {
    std::uint64_t guard = 0;
  };
  struct Idle {};
  struct TakingOver {};
  struct Verifying {};
  // Until the kernel is as closed as the policy wants it: the step's, or the one that runs, whole.
  struct Closing {
    std::optional<Step> step;
    bool is_to_be_sent = true;  // false: there is no dataplane
    std::uint64_t guard = 0;
  };
  struct Sending {
    std::optional<Step> step;
    sync::View view;
    bool is_full = false;
    bool is_policy = false;  // false: only what changed in the view
  };
  using Phase = std::variant<Starting, Idle, TakingOver, Verifying, Closing, Sending>;

  // Of what an earlier control left.
  enum class TakeOver : std::uint8_t { due, reading, done };

  void on(const event::Started& event, Moment& moment);
  void on(const event::Turn& event, Moment& moment);
  void on(const event::Tick& event, Moment& moment);
  void on(const event::KernelChanged& event, Moment& moment);
  void on(const event::Probed& event, Moment& moment);
  void on(const event::Learned& event, Moment& moment);
  void on(const event::GuardClosed& event, Moment& moment);
  void on(const event::Connected& event, Moment& moment);
  void on(const event::Disconnected& event, Moment& moment);
  void on(const event::Claimed& event, Moment& moment);
  void on(const event::StateTold& event, Moment& moment);
  void on(const event::TransactionEnded& event, Moment& moment);
  void on(const event::DataplaneSaid& event, Moment& moment);
  void on(const event::Reload& event, Moment& moment);
  void on(const event::Rehearse& event, Moment& moment);
  void on(const event::ChangeRoutes& event, Moment& moment);
  void on(const event::DrainMembers& event, Moment& moment);
  void on(const event::ReadAgain& event, Moment& moment);

  // The world.
  void look(Moment& moment);
  void look_soon(Moment& moment);  // when those who wait have had their turn; until then nothing is sent
  void keep(Moment& moment) const;
  auto close_guard(Moment& moment) -> std::uint64_t;
  [[nodiscard]] const policy::Policy* under_way() const;
  [[nodiscard]] auto coming() const -> std::vector<const policy::Policy*>;  // it, and those that wait

  // What is learned. Of another table or other protocols than those of the policy that runs nothing is known.
  [[nodiscard]] auto with_learned(const std::shared_ptr<const policy::Policy>& policy,
                                  const netlink::Mirror& mirror) const
      -> std::shared_ptr<const policy::Policy>;
  // From now on this policy; what was learned for the one before is forgotten where it is something else.
  void run(std::shared_ptr<const policy::Policy> policy);
  // Whether the policy that runs lacks something of it, or has something that is no more; then the step that mends it is there.
  void follow_learned(Moment& moment);
  [[nodiscard]] auto learned_waits_until(const World& world) const -> std::optional<Time>;
  // Where nothing has to be told as a difference: it runs at once.
  void take_learned(Moment& moment);
  // False: there is nothing to tell, or not yet.
  auto send_learned(Moment& moment) -> bool;
  void learned_failed(const std::string& why, Moment& moment);

  // What an earlier control left.
  void take_over(const ipc::State& state, Moment& moment);

  // Policies that are to come.
  [[nodiscard]] auto admissible(const Reading& reading, const netlink::Mirror& mirror) const
      -> tl::expected<std::shared_ptr<const policy::Policy>, std::string>;
  [[nodiscard]] auto plan_to(std::shared_ptr<const policy::Policy> then, const World& world) const
      -> serve::Plan;
  [[nodiscard]] auto harms(const policy::Policy& then, const World& world) const -> std::vector<sync::Harm>;
  // False: it breaks what works, and was refused.
  auto is_harmless(const Step& step, Moment& moment) -> bool;
  // When it is to be looked at again; nothing: it is its turn.
  [[nodiscard]] auto waits_until(const Step& step, const World& world) const -> std::optional<Time>;
  // With what is learned by now.
  void rehearse(const Step& step, Moment& moment) const;
  // Makes the policy of overrides from what runs, and answers those that are refused; false: none is left.
  auto resolve(Step& step, Moment& moment) -> bool;
  // Takes the step as what is wanted from now on; how many overrides are gone by it.
  auto adopt(const Step& step, Moment& moment) -> std::size_t;
  // Of members that the policy does not have, that they are drained.
  void forget_drained(Moment& moment);
  static void refuse(const Step& step, const std::string& why, Moment& moment);
  void tell_apart(Step step, const std::string& why, Moment& moment);  // overrides that were refused together
  static void done(const Step& step, const serve::Reloaded& result, Moment& moment);

  // Begins the next conversation, if there is one to begin and none is held.
  void advance(Moment& moment);
  void advance_alone(Moment& moment);  // without a dataplane
  void close(std::optional<Step> step, bool is_to_be_sent, Moment& moment);
  void closed(Closing closing, const tl::expected<void, std::string>& result, Moment& moment);
  void verified(const tl::expected<ipc::State, std::string>& state, Moment& moment);
  void send_policy(std::optional<Step> step, Moment& moment);
  void send_incremental(Moment& moment);
  void committed(Sending sending, const ipc::Committed& committed, Moment& moment);
  void failed(Sending sending, const std::string& why, Moment& moment);
  void refused(const std::string& why, Moment& moment);
  void heal(const std::string& why, Moment& moment);
  void retry_later(Moment& moment);

  std::string dataplane_socket_;
  std::shared_ptr<const policy::Policy> policy_;  // that runs
  serve::Sources sources_;                        // of it
  Steps steps_;                                   // not begun yet
  std::shared_ptr<const route::Learned> learned_;
  std::optional<Step> learned_step_;         // not begun yet
  std::optional<Time> learned_waits_until_;  // it has to
  std::optional<Time> learned_retries_at_;   // it was refused
  std::string learned_refusal_;
  Phase phase_ = Starting{};

  KernelView view_;
  bool turn_is_due_ = false;
  Guarding guarding_;
  std::uint64_t guard_answered_ = 0;

  Command command_;
  bool is_connected_ = false;
  bool is_new_connection_ = false;  // that has not had its first policy
  TakeOver take_over_ = TakeOver::due;
  Time takes_over_at_{};
  std::optional<sync::View> told_;  // what the dataplane has; nothing: it needs a full transaction
  std::uint64_t transaction_ = 0;   // its last that we know of; 0: none on this connection
  bool is_to_heal_ = false;         // somebody else changed it while a transaction was under way
  Failures failures_;
  std::string last_refusal_;

  std::optional<Time> retries_at_;
  std::chrono::seconds retry_pause_;      // grows while a port cannot be opened
  std::optional<Time> patience_ends_at_;  // of the step whose turn it is
};

}  // namespace sekisho::reconcile
