// SPDX-License-Identifier: BSD-3-Clause
// One conversation at a time with the dataplane: which is next, and what becomes of it.
#include <algorithm>
#include <new>
#include <utility>

#include "common/base/memory_reserve.hpp"
#include "control/reconcile/bindings.hpp"
#include "control/reconcile/reconciler.hpp"
#include "control/reconcile/timing.hpp"
#include "control/sync/agreement.hpp"
#include "control/sync/objects.hpp"

namespace sekisho::reconcile {
namespace {

std::string summary(const ipc::Committed& committed) {
  return fmt::format("ports {}, next hops {}, adjacencies {}, zones {}, routes +{} ~{} -{}",
                     committed.ports_changed(), committed.next_hops_changed(),
                     committed.adjacencies_changed(), committed.zones_changed(), committed.routes_added(),
                     committed.routes_changed(), committed.routes_removed());
}

}  // namespace

auto Reconciler::circumstances() const -> serve::Circumstances {
  return {.is_settled = std::holds_alternative<Idle>(phase_) && told_ && steps_.empty() && !learned_step_ &&
                        sync::incremental(*policy_, *told_, view_.now()).empty(),
          .not_in_command = command_.why_not(),
          .not_taken = last_refusal_,
          .transaction = transaction_,
          .failed_ports = failures_.ports(),
          .guard = {},
          .reload_refused = {},
          .learned_not_taken = learned_refusal_};
}

// --- What is next.

void Reconciler::advance(Moment& moment) {
  if (!std::holds_alternative<Idle>(phase_)) {
    return;
  }
  patience_ends_at_.reset();
  if (!is_connected_) {
    advance_alone(moment);
    return;
  }
  if (turn_is_due_ || !command_.is_held()) {
    return;
  }
  if (take_over_ != TakeOver::done) {
    if (take_over_ == TakeOver::due && takes_over_at_ <= moment.now()) {
      phase_ = TakingOver{};
      moment.act(action::AskState{});
    }
    return;
  }
  if (!told_) {
    take_learned(moment);
  } else if (send_learned(moment)) {
    return;
  }
  if (steps_.empty()) {
    if (told_) {
      send_incremental(moment);
    } else {
      close(std::nullopt, true, moment);
    }
    return;
  }
  if (!steps_.front().is_verified && told_) {
    phase_ = Verifying{};
    moment.act(action::AskState{});
    return;
  }
  const bool is_guarded = steps_.front().guard <= guard_answered_;
  patience_ends_at_ = is_guarded ? waits_until(steps_.front(), moment.world()) : std::nullopt;
  if (!is_guarded || patience_ends_at_) {
    // A member that dies meanwhile loses its traffic at once.
    if (told_) {
      send_incremental(moment);
    }
    return;
  }
  auto next = steps_.pop();
  if (next.is_rehearsal()) {
    rehearse(next, moment);
  } else if (resolve(next, moment) && is_harmless(next, moment)) {
    close(std::move(next), true, moment);
    return;
  }
  look_soon(moment);  // and then at the next step
}

// The dataplane gets it when it is there.
void Reconciler::advance_alone(Moment& moment) {
  take_learned(moment);
  while (!steps_.empty()) {
    auto next = steps_.pop();
    if (next.is_rehearsal()) {
      rehearse(next, moment);
    } else if (resolve(next, moment) && is_harmless(next, moment)) {
      close(std::move(next), false, moment);
      return;
    }
  }
}

// --- The guard first: until the dataplane has committed, what either policy lets out may leave.

void Reconciler::close(std::optional<Step> step, bool is_to_be_sent, Moment& moment) {
  phase_ = Closing{.step = std::move(step), .is_to_be_sent = is_to_be_sent};
  const auto number = close_guard(moment);  // which asks what is under way
  std::get<Closing>(phase_).guard = number;
}

void Reconciler::closed(Closing closing, const tl::expected<void, std::string>& result, Moment& moment) {
  auto& step = closing.step;
  if (!result) {
    if (!step) {
      refused(result.error(), moment);
      return;
    }
    if (step->is_of_many()) {
      tell_apart(std::move(*step), result.error(), moment);
      return;
    }
    moment.error("{} refused: {}", step->name(), result.error());
    refuse(*step, result.error(), moment);
    look_soon(moment);
    return;
  }
  if (closing.is_to_be_sent) {
    send_policy(std::move(step), moment);
    return;
  }
  guarding_.keep_open();
  const auto dropped = adopt(*step, moment);
  close_guard(moment);
  look(moment);
  moment.info("{} done; the dataplane gets it when it is connected", step->name());
  done(*step,
       {.applied = false, .committed = {}, .warnings = policy_->warnings, .overrides_dropped = dropped},
       moment);
  advance(moment);
}

// --- What it is told.

// The step's policy, or without one the policy that runs, whole. A step is told as what it changes where the dataplane
// has exactly what it changes from; one that failed to start something is to try again, which only a full transaction does.
void Reconciler::send_policy(std::optional<Step> step, Moment& moment) {
  const auto policy = step ? step->policy : policy_;
  auto view = step ? view_.of(*policy, moment.mirror()) : view_.now();
  const bool is_learned = step && step->is_learned();
  const bool is_full = !step || !told_ || (failures_.any() && !is_learned);
  std::optional<std::vector<ipc::Change>> changes;
  try {
    changes = is_full ? sync::full(*policy, view) : sync::between(*policy_, *told_, *policy, view);
  } catch (const std::bad_alloc&) {  // refused below
  }
  if (is_learned && changes && changes->empty()) {  // a route is held, say
    policy_ = step->policy;
    moment.act(action::Follow{policy_, {}});
    view_.show(*policy_, failures_.exit(), view, moment);
    told_ = std::move(view);
    look_soon(moment);
    return;
  }
  Sending sending{std::move(step), std::move(view), is_full, true};
  if (!changes) {
    failed(std::move(sending), std::string{base::no_memory}, moment);
    return;
  }
  phase_ = std::move(sending);
  moment.act(action::Transact{is_full, std::move(*changes)});
}

void Reconciler::send_incremental(Moment& moment) {
  if (auto changes = sync::incremental(*policy_, *told_, view_.now()); !changes.empty()) {
    phase_ = Sending{.step = {}, .view = view_.now()};
    moment.act(action::Transact{false, std::move(changes)});
  }
}

// --- What it says.

// Before a reload is told as what it changes.
void Reconciler::verified(const tl::expected<ipc::State, std::string>& state, Moment& moment) {
  if (!steps_.empty()) {
    steps_.front().is_verified = true;
  }
  if (state && told_) {
    if (state->transaction() != transaction_) {
      heal(fmt::format("it is at transaction {}, not {}", state->transaction(), transaction_), moment);
    } else if (const auto difference = sync::disagreement(*state, sync::objects(*policy_, *told_))) {
      heal(*difference, moment);
    }
  }
  advance(moment);
}

void Reconciler::heal(const std::string& why, Moment& moment) {
  moment.warn("the dataplane has not what it was told ({}); it gets the whole policy", why);
  told_.reset();
}

void Reconciler::on(const event::TransactionEnded& event, Moment& moment) {
  auto* sending = std::get_if<Sending>(&phase_);
  if (sending == nullptr) {
    return;
  }
  auto taken = std::move(*sending);
  phase_ = Idle{};
  if (event.result) {
    committed(std::move(taken), *event.result, moment);
  } else {
    failed(std::move(taken), event.result.error(), moment);
  }
}

// One of them may be what is wrong with all.
void Reconciler::tell_apart(Step step, const std::string& why, Moment& moment) {
  moment.warn("{} refused together, each is tried by itself: {}", step.name(), why);
  steps_.put_back_apart(std::move(step));
  look_soon(moment);
}

void Reconciler::failed(Sending sending, const std::string& why, Moment& moment) {
  auto& step = sending.step;
  if (!step) {
    refused(why, moment);  // and waits for its time
    return;
  }
  if (step->is_learned()) {
    learned_failed(why, moment);
    return;
  }
  if (step->is_of_many() && is_connected_ && command_.is_held()) {
    close_guard(moment);
    tell_apart(std::move(*step), why, moment);
    return;
  }
  if (!sending.is_full && is_connected_ && command_.is_held()) {
    moment.warn("the dataplane refused what changes ({}); it gets the whole policy", why);
    told_.reset();
    close(std::move(step), true, moment);
    return;
  }
  moment.error("{} refused, the policy stays as it was: {}", step->name(), why);
  // Whether a dataplane that is gone took the new policy, we do not know: the next commit tidies up.
  if (!told_ || !is_connected_) {
    guarding_.keep_open();
  }
  close_guard(moment);
  refuse(*step, why, moment);
  look_soon(moment);
}

void Reconciler::refused(const std::string& why, Moment& moment) {
  told_.reset();
  if (!is_connected_) {
    return;  // which is said elsewhere, and the next connection begins anew
  }
  if (std::exchange(last_refusal_, why) != why) {
    moment.error("the dataplane has not taken the policy: {}", why);
  }
  retry_later(moment);
}

void Reconciler::committed(Sending sending, const ipc::Committed& committed, Moment& moment) {
  const auto& step = sending.step;
  std::size_t dropped = 0;
  if (sending.is_policy) {
    dropped = step ? adopt(*step, moment) : 0;
    guarding_.on_committed();
    close_guard(moment);
    // Attempts to start a failed port are whole policies too; they are not worth a line each.
    const bool is_news = step ? !step->is_learned() : std::exchange(is_new_connection_, false);
    moment.say(is_news ? action::Level::info : action::Level::debug, "{}: {}",
               step ? step->name() + " done" : "the dataplane has the whole policy", summary(committed));
  }
  last_refusal_.clear();
  if (step && step->is_learned()) {
    learned_refusal_.clear();
  }
  const auto expected = std::exchange(transaction_, committed.transaction()) + 1;
  const bool is_another = expected != 1 && expected != transaction_;
  failures_.on_committed(committed, moment);
  moment.act(action::Bind{bindings_of(policy_->config, sending.view, failures_.ports(), moment.mirror())});
  if (step) {
    view_.show(*policy_, failures_.exit(), sending.view, moment);
  }
  told_ = std::move(sending.view);
  if (std::exchange(is_to_heal_, false)) {
    told_.reset();
  } else if (is_another) {
    heal(fmt::format("this was transaction {}, not {}: somebody else changes it", transaction_, expected),
         moment);
  }
  if (failures_.any()) {
    retry_later(moment);
  } else {
    retry_pause_ = first_retry;
  }
  // The dataplane may have made interfaces, but not for a route.
  if (sending.is_policy && (sending.is_full || !step || step->is_reload())) {
    moment.act(action::ListAgain{});
  }
  if (step) {
    done(*step,
         {.applied = true,
          .committed = committed,
          .warnings = policy_->warnings,
          .overrides_dropped = dropped},
         moment);
  }
  look_soon(moment);  // by the new bindings
}

void Reconciler::retry_later(Moment& moment) {
  if (!retries_at_) {
    retries_at_ = moment.now() + retry_pause_;
    retry_pause_ = std::min(2 * retry_pause_, last_retry);
  }
}

}  // namespace sekisho::reconcile
