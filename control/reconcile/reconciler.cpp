// SPDX-License-Identifier: BSD-3-Clause
// Which event concerns whom: the kernel's, the connection's, and time's.
#include "control/reconcile/reconciler.hpp"

#include <algorithm>
#include <utility>

#include "control/reach/host_stack.hpp"
#include "control/reconcile/bindings.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {

Reconciler::Reconciler(Start start)
    : dataplane_socket_(std::move(start.dataplane_socket)),
      policy_(std::move(start.policy)),
      sources_(std::move(start.sources)),
      guarding_(std::move(start.let_out)),
      command_(start.take_over),
      retry_pause_(first_retry) {
  view_.drain(std::move(start.drained));
  learned_ = std::move(start.learned);
}

auto Reconciler::handle(Event event, const World& world) -> std::vector<Action> {
  Moment moment{world};
  std::visit([&](const auto& what) { on(what, moment); }, event);
  return std::move(moment).take();
}

auto Reconciler::wakes_at() const -> std::optional<Time> {
  std::optional<Time> next;
  const auto by = [&](std::optional<Time> time) {
    if (time && (!next || *time < *next)) {
      next = time;
    }
  };
  by(command_.wakes_at());
  by(retries_at_);
  by(patience_ends_at_);
  by(learned_waits_until_);
  by(learned_retries_at_);
  if (!turn_is_due_) {  // which looks
    by(view_.wakes_at());
  }
  if (take_over_ == TakeOver::due && command_.is_held() && std::holds_alternative<Idle>(phase_)) {
    by(takes_over_at_);
  }
  return next;
}

// --- Inside.

void Reconciler::on(const event::Started& /*event*/, Moment& moment) {
  phase_ = Starting{close_guard(moment)};
}

void Reconciler::on(const event::Turn& /*event*/, Moment& moment) {
  turn_is_due_ = false;
  close_guard(moment);
  look(moment);
  advance(moment);
}

void Reconciler::on(const event::Tick& /*event*/, Moment& moment) {
  command_.on_tick(moment);
  if (patience_ends_at_ && *patience_ends_at_ <= moment.now()) {
    patience_ends_at_.reset();
  }
  if (learned_waits_until_ && *learned_waits_until_ <= moment.now()) {
    learned_waits_until_.reset();
  }
  if (learned_retries_at_ && *learned_retries_at_ <= moment.now()) {
    learned_retries_at_.reset();
    look_soon(moment);
  }
  if (retries_at_ && *retries_at_ <= moment.now()) {
    retries_at_.reset();
    if (failures_.any()) {
      told_.reset();  // only a full transaction tries to start them again
    }
  }
  if (const auto due = view_.wakes_at(); due && *due <= moment.now()) {
    look_soon(moment);
  }
  advance(moment);
}

// 128 of these come a second with 64 members at the usual interval: what changes nothing costs nothing.
void Reconciler::on(const event::Probed& event, Moment& moment) {
  if (view_.hear(event, moment)) {
    look_soon(moment);
  }
}

void Reconciler::on(const event::DrainMembers& event, Moment& moment) {
  view_.drain(event.drained);
  look_soon(moment);
}

// The guard follows at once.
void Reconciler::on(const event::KernelChanged& /*event*/, Moment& moment) {
  close_guard(moment);
  look_soon(moment);
}

void Reconciler::on(const event::GuardClosed& event, Moment& moment) {
  guard_answered_ = std::max(guard_answered_, event.number);
  if (const auto* starting = std::get_if<Starting>(&phase_)) {
    if (starting->guard != event.number) {
      return;
    }
    if (!event.result) {
      moment.act(action::Stop{event.result.error()});
      return;
    }
    phase_ = Idle{};
    policy_ = with_learned(policy_, moment.mirror());
    forget_drained(moment);
    look(moment);
    moment.act(action::Follow{policy_, sources_});
    advance(moment);
    return;
  }
  if (auto* closing = std::get_if<Closing>(&phase_); closing != nullptr && closing->guard == event.number) {
    auto taken = std::move(*closing);
    phase_ = Idle{};
    closed(std::move(taken), event.result, moment);
    return;
  }
  if (event.result) {
    if (std::ranges::find(steps_, event.number, &Step::guard) != steps_.end()) {
      look_soon(moment);
    }
    return;
  }
  if (const auto step = steps_.take_guarded_by(event.number)) {
    moment.error("{} refused: {}", step->name(), event.result.error());
    refuse(*step, event.result.error(), moment);
  }
}

// --- The connection.

void Reconciler::on(const event::Connected& /*event*/, Moment& moment) {
  moment.info("connected to the dataplane");
  told_.reset();
  is_connected_ = is_new_connection_ = true;
  is_to_heal_ = false;
  retry_pause_ = first_retry;
  failures_.clear();
  transaction_ = 0;
  command_.on_connected(moment);
}

// What was to be sent is kept for the next connection, and its caller need not wait for that.
void Reconciler::on(const event::Disconnected& event, Moment& moment) {
  is_connected_ = false;
  told_.reset();
  command_.on_disconnected();
  if (auto* closing = std::get_if<Closing>(&phase_); closing != nullptr && closing->is_to_be_sent) {
    if (closing->step) {
      steps_.put_back(std::move(*closing->step));
    }
    phase_ = Idle{};
  } else if (auto* sending = std::get_if<Sending>(&phase_)) {
    auto taken = std::move(*sending);
    phase_ = Idle{};
    failed(std::move(taken), "the connection to the dataplane was lost: " + event.reason, moment);
  } else if (std::holds_alternative<TakingOver>(phase_) || std::holds_alternative<Verifying>(phase_)) {
    phase_ = Idle{};
  }
  moment.warn("the dataplane is gone ({}); waiting for it at {}", event.reason, dataplane_socket_);
  advance(moment);
}

void Reconciler::on(const event::Claimed& event, Moment& moment) {
  if (is_connected_ && command_.on_claimed(event, moment)) {
    takes_over_at_ = moment.now();
    advance(moment);
  }
}

void Reconciler::on(const event::StateTold& event, Moment& moment) {
  if (std::holds_alternative<Verifying>(phase_)) {
    phase_ = Idle{};
    verified(event.state, moment);
  } else if (std::holds_alternative<TakingOver>(phase_)) {
    phase_ = Idle{};
    if (event.state) {
      take_over(*event.state, moment);
    } else {  // it hangs
      takes_over_at_ = moment.now() + first_retry;
    }
  }
}

void Reconciler::on(const event::DataplaneSaid& said, Moment& moment) {
  const auto& event = said.event;
  if (event.has_port()) {
    if (failures_.on_port(event.port(), moment)) {
      retry_later(moment);
    }
  } else if (event.has_link()) {
    moment.info("port {}: the device's link is {}", event.link().port(), event.link().up() ? "up" : "down");
  } else if (event.has_wanted()) {
    if (view_.want(event.wanted(), *policy_, moment)) {
      look_soon(moment);
    }
  } else if (event.has_changed() && command_.is_held()) {
    // Whoever commands has its reasons; while this control does, nobody else changes anything for long.
    moment.warn("process {} changed the dataplane by transaction {}", event.changed().process(),
                event.changed().transaction());
    is_to_heal_ = std::holds_alternative<Sending>(phase_);
    told_.reset();
    advance(moment);
  } else if (event.has_superseded()) {
    told_.reset();
    command_.on_superseded(event.superseded().process(), moment);
    const auto why = "this sekisho-control does not command the dataplane any more: " + command_.why_not();
    if (auto* closing = std::get_if<Closing>(&phase_); closing != nullptr && closing->is_to_be_sent) {
      if (closing->step) {
        refuse(*closing->step, why, moment);
      }
      phase_ = Idle{};
    }
    for (const auto& step : steps_.take_all()) {
      refuse(step, why, moment);
    }
  }
}

// --- The world.

void Reconciler::look(Moment& moment) {
  follow_learned(moment);
  for (const auto& port : view_.look(*policy_, coming(), failures_.exit(), moment)) {
    if (failures_.ports().contains(port)) {
      told_.reset();  // the next transaction starts the port, and is a full one
    }
  }
  keep(moment);
}

void Reconciler::look_soon(Moment& moment) {
  if (!std::exchange(turn_is_due_, true)) {
    moment.act(action::Yield{});
  }
}

const policy::Policy* Reconciler::under_way() const {
  const std::optional<Step>* step = nullptr;
  if (const auto* closing = std::get_if<Closing>(&phase_)) {
    step = &closing->step;
  } else if (const auto* sending = std::get_if<Sending>(&phase_)) {
    step = &sending->step;
  }
  return step != nullptr && *step ? (*step)->policy.get() : nullptr;
}

auto Reconciler::coming() const -> std::vector<const policy::Policy*> {
  std::vector<const policy::Policy*> result;
  if (const auto* policy = under_way()) {
    result.push_back(policy);
  }
  if (learned_step_) {
    result.push_back(learned_step_->policy.get());
  }
  for (const auto& step : steps_) {
    if (step.policy) {
      result.push_back(step.policy.get());
    }
  }
  return result;
}

auto Reconciler::close_guard(Moment& moment) -> std::uint64_t {
  return guarding_.close({*policy_, under_way(), steps_}, moment);
}

// The policy that runs and those that are to come: what those need is there before traffic moves to it.
void Reconciler::keep(Moment& moment) const {
  action::Keep result;
  const auto ask = [&](const policy::Policy& policy) {
    const auto more = view_.neighbours_of(policy, moment.mirror());
    result.resolved.insert(result.resolved.end(), more.begin(), more.end());
    result.wanted.merge(reach::probe_stack(policy.config, moment.mirror()));
  };
  const auto add = [&](const policy::Policy& policy) {
    ask(policy);
    result.wanted.merge(reach::host_stack(policy.config, moment.mirror()));
  };
  add(*policy_);
  if (const auto* policy = under_way()) {
    add(*policy);
  }
  if (learned_step_) {
    ask(*learned_step_->policy);
  }
  for (const auto& step : steps_) {
    if (step.is_rehearsal()) {
      ask(*step.policy);
    } else if (step.policy &&
               step.guard <= guard_answered_) {  // the guard before the kernel forwards at a new exit
      add(*step.policy);
    }
  }
  std::ranges::sort(result.resolved);
  result.resolved.erase(std::ranges::unique(result.resolved).begin(), result.resolved.end());
  moment.act(std::move(result));
  moment.act(action::Probe{view_.orders()});
}

// --- What an earlier control left.

void Reconciler::take_over(const ipc::State& state, Moment& moment) {
  take_over_ = TakeOver::done;
  auto bound = bindings_of(state, moment.mirror());
  const bool moved = is_moved(policy_->config, bound, moment.mirror());
  moment.act(action::CountReturns{returns_of(state)});
  moment.act(action::Bind{std::move(bound)});
  if (moved) {
    // The files were read when it was not known whose addresses are ours; until they have been read again, nothing is told.
    take_over_ = TakeOver::reading;
    moment.act(action::ReadFiles{});
  }
  guarding_.remember(state);
  view_.inherit(state, moment.now());
  look_soon(moment);
}

void Reconciler::on(const event::ReadAgain& event, Moment& moment) {
  if (event.reading.policy) {
    run(with_learned(*event.reading.policy, moment.mirror()));
    sources_ = event.reading.sources;
    moment.act(action::Follow{policy_, sources_});
  } else {
    moment.warn("the configuration is not read again for interfaces that were renamed: {}",
                event.reading.policy.error().to_string());
  }
  take_over_ = TakeOver::done;
  look(moment);
  advance(moment);
}

}  // namespace sekisho::reconcile
