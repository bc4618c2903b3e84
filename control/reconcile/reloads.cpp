// SPDX-License-Identifier: BSD-3-Clause
// Another policy is to take the place of the one that runs: the files read again, or an override.
#include <algorithm>
#include <utility>

#include "control/netlink/devices.hpp"
#include "control/policy/learned.hpp"
#include "control/reconcile/reconciler.hpp"
#include "control/serve/drain_member.hpp"
#include "control/serve/override.hpp"

namespace sekisho::reconcile {

// A policy that waits for the command would come as a surprise.
auto Reconciler::may_change() const -> tl::expected<void, std::string> {
  if (is_connected_ && !command_.why_not().empty()) {
    return tl::unexpected("this sekisho-control does not command the dataplane: " + command_.why_not());
  }
  return {};
}

auto Reconciler::may_try() const -> tl::expected<void, std::string> {
  return may_change().and_then([&]() -> tl::expected<void, std::string> {
    if (!is_connected_ || take_over_ != TakeOver::done) {
      return tl::unexpected(std::string{"the dataplane does not run what is configured yet"});
    }
    return {};
  });
}

// A device that is not there is an error unless it is no news: that a port which runs would stop, harms() says. When control
// starts nothing of this is asked: which interface a port runs on is not known before the dataplane was asked, and that takes no
// two ports of one interface.
auto Reconciler::admissible(const Reading& reading, const netlink::Mirror& mirror) const
    -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  if (!reading.policy) {
    return tl::unexpected(reading.policy.error().to_string());
  }
  const auto& policy = *reading.policy;
  if (const auto shared = netlink::shared_device(policy->config, mirror)) {
    return tl::unexpected(shared->to_string());
  }
  auto fresh = policy->config;
  std::erase_if(fresh.ports, [&](const config::Port& port) {
    const auto old = std::ranges::find(policy_->config.ports, port.name, &config::Port::name);
    return old != policy_->config.ports.end() &&
           (old->device == port.device || mirror.link_of(*old) != nullptr);
  });
  if (const auto missing = netlink::missing_devices(fresh, mirror); !missing.empty()) {
    return tl::unexpected(missing.front().to_string());
  }
  return with_learned(policy, mirror);
}

void Reconciler::on(const event::Reload& event, Moment& moment) {
  const auto policy = may_change().and_then([&] { return admissible(event.reading, moment.mirror()); });
  if (!policy) {
    moment.error("reload refused, the policy stays as it was: {}", policy.error());
    moment.act(action::Answer{event.ticket, tl::unexpected(policy.error())});
    return;
  }
  // Of requests that share a read the first tells.
  if (!steps_.ends_with(*policy)) {
    for (const auto& warning : (*policy)->warnings) {
      moment.warn("{}", warning);
    }
  }
  steps_.push({.tickets = {event.ticket},
               .policy = *policy,
               .from = event.reading.sources,
               .force = event.force,
               .is_trial = event.is_trial,
               .asked = moment.now()});
  if (is_connected_) {
    steps_.back().guard = close_guard(moment);
  } else {
    advance(moment);
  }
}

void Reconciler::on(const event::Rehearse& event, Moment& moment) {
  auto policy = may_change().and_then([&] { return admissible(event.reading, moment.mirror()); });
  if (!policy) {
    moment.act(action::AnswerPlan{event.ticket, tl::unexpected(std::move(policy.error()))});
    return;
  }
  steps_.push(
      {.tickets = {event.ticket}, .policy = std::move(*policy), .from = Rehearsal{}, .asked = moment.now()});
  look(moment);
  advance(moment);
}

void Reconciler::on(const event::ChangeRoutes& event, Moment& moment) {
  if (auto allowed = may_change(); !allowed) {
    moment.act(action::Answer{event.ticket, tl::unexpected(std::move(allowed.error()))});
    return;
  }
  steps_.push({.tickets = {event.ticket},
               .policy = nullptr,
               .from = Overrides{.requests = {event.request}},
               .is_verified = true});
  advance(moment);
}

auto Reconciler::plan(const Reading& reading, const World& world) const
    -> tl::expected<serve::Plan, std::string> {
  return admissible(reading, world.mirror).map([&](auto policy) {
    return plan_to(std::move(policy), world);
  });
}

auto Reconciler::plan_to(std::shared_ptr<const policy::Policy> then, const World& world) const
    -> serve::Plan {
  auto found = harms(*then, world);
  auto view = view_.of(*then, world.mirror);
  return {policy_, view_.now(), std::move(then), std::move(view), std::move(found)};
}

void Reconciler::rehearse(const Step& step, Moment& moment) const {
  auto policy = with_learned(step.policy, moment.mirror());
  moment.act(action::AnswerPlan{step.tickets.front(), plan_to(std::move(policy), moment.world())});
}

auto Reconciler::resolve(Step& step, Moment& moment) -> bool {
  auto* overrides = std::get_if<Overrides>(&step.from);
  if (overrides == nullptr) {
    step.policy = with_learned(step.policy, moment.mirror());
    return true;
  }
  const auto runs = policy::plain(policy_);
  serve::OverrideEdit edit{*runs};
  for (std::size_t i = 0; i < overrides->requests.size(); ++i) {
    auto applied = edit.apply(overrides->requests[i]);
    if (applied) {
      continue;
    }
    if (i !=
        0) {  // what it is refused for may itself never come into force: it is judged when the others have ended
      steps_.put_back(step.part_from(i));
      break;
    }
    moment.act(action::Answer{step.tickets.front(), tl::unexpected(std::move(applied.error()))});
    if (overrides->requests.size() > 1) {
      steps_.put_back(step.part_from(1));
    }
    return false;
  }
  auto policy = edit.finish();
  if (!policy) {
    refuse(step, policy.error(), moment);
    return false;
  }
  step.policy = with_learned(*policy, moment.mirror());
  return true;
}

auto Reconciler::adopt(const Step& step, Moment& moment) -> std::size_t {
  const auto* sources = std::get_if<serve::Sources>(&step.from);
  const auto dropped = sources == nullptr ? 0 : policy_->overrides.size();
  if (dropped != 0) {
    moment.info("the reload ends {} override{} of `sekisho route`", dropped, dropped == 1 ? "" : "s");
  }
  run(step.policy);
  action::Follow follow{policy_, {}};
  if (sources != nullptr) {
    follow.sources = sources_ = *sources;
  }
  moment.act(std::move(follow));
  if (!step.is_learned() && !step.is_trial) {
    forget_drained(moment);
  }
  return dropped;
}

void Reconciler::forget_drained(Moment& moment) {
  auto left = serve::still_configured(view_.drained(), policy_->config);
  if (left == view_.drained()) {
    return;
  }
  for (const auto& entry : view_.drained()) {
    if (!left.contains(entry)) {
      moment.info("{} is no member of next hop {} any more: that it was drained is forgotten",
                  base::address_to_string(entry.second), entry.first);
    }
  }
  view_.drain(left);
  moment.act(action::KeepDrained{std::move(left)});
}

void Reconciler::refuse(const Step& step, const std::string& why, Moment& moment) {
  for (const auto ticket : step.tickets) {
    if (step.is_rehearsal()) {
      moment.act(action::AnswerPlan{ticket, tl::unexpected(why)});
    } else {
      moment.act(action::Answer{ticket, tl::unexpected(why)});
    }
  }
}

void Reconciler::done(const Step& step, const serve::Reloaded& result, Moment& moment) {
  for (const auto ticket : step.tickets) {
    moment.act(action::Answer{ticket, result});
  }
}

}  // namespace sekisho::reconcile
