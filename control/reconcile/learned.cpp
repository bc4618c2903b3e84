// SPDX-License-Identifier: BSD-3-Clause
// What is learned comes into the policy that runs: at any time, between two conversations with the dataplane, before steps that
// somebody asked for. It answers nobody, and what a reload would be refused for it may do: routes come and go.
#include <algorithm>
#include <utility>

#include "control/policy/learned.hpp"
#include "control/reach/members.hpp"
#include "control/reconcile/reconciler.hpp"

namespace sekisho::reconcile {
namespace {

// For gateways that are new to us: what was forwarded to another until now would be dropped until the kernel has found them.
constexpr std::chrono::seconds gateway_patience{1};
constexpr std::chrono::seconds refusal_pause{10};

auto ports_of(const config::Config& config, const netlink::Mirror& mirror)
    -> std::vector<policy::LearnedPort> {
  std::vector<policy::LearnedPort> result;
  for (const auto& port : config.ports) {
    policy::LearnedPort known{.name = port.name, .link = 0, .subnets = {}, .unicast = {}};
    if (const auto* link = mirror.link_of(port)) {
      known.link = link->index;
    }
    for (const auto& address : reach::port_addresses(port, mirror)) {
      known.subnets.push_back(reach::subnet(address));
      known.unicast.push_back(address.address);
    }
    result.push_back(std::move(known));
  }
  return result;
}

// Whether what was learned for one is what the other asks for. How much of it and for how long it is held are not asked: until it
// has been listed anew, what is there is as good.
bool learn_the_same(const config::Config& one, const config::Config& other) {
  return one.learns() && other.learns() && one.bgp->learning.table == other.bgp->learning.table &&
         one.bgp->learning.protocols == other.bgp->learning.protocols;
}

}  // namespace

auto Reconciler::with_learned(const std::shared_ptr<const policy::Policy>& policy,
                              const netlink::Mirror& mirror) const -> std::shared_ptr<const policy::Policy> {
  if (!learned_ || !learn_the_same(policy->config, policy_->config)) {
    return policy::plain(policy);
  }
  auto ports = ports_of(policy->config, mirror);
  if (policy->taken && policy->taken->learned == learned_ && policy->taken->ports == ports) {
    return policy;
  }
  return policy::with_learned(policy, learned_, ports);
}

void Reconciler::run(std::shared_ptr<const policy::Policy> policy) {
  if (!learn_the_same(policy->config, policy_->config)) {
    learned_.reset();
  }
  policy_ = std::move(policy);
}

void Reconciler::on(const event::Learned& event, Moment& moment) {
  if (!policy_->config.learns()) {
    return;  // it was on its way when a reload ended that
  }
  learned_ = event.learned;
  learned_retries_at_.reset();
  look_soon(moment);
}

// Also when a port's interface or addresses are others.
void Reconciler::follow_learned(Moment& moment) {
  // What a policy that is under way lacks is seen when it is through: until then this would be merged in vain, or twice.
  if (learned_retries_at_ || under_way() != nullptr) {
    return;
  }
  auto then = with_learned(learned_step_ ? learned_step_->policy : policy_, moment.mirror());
  if (learned_step_ && policy::plain(learned_step_->policy) != policy::plain(policy_)) {
    then = with_learned(policy_, moment.mirror());
  }
  if (then == policy_) {
    learned_step_.reset();
    learned_refusal_.clear();
    return;
  }
  const auto asked = learned_step_ ? learned_step_->asked : moment.now();
  learned_step_ = Step{.tickets = {}, .policy = std::move(then), .from = LearnedRoutes{}, .asked = asked};
}

auto Reconciler::learned_waits_until(const World& world) const -> std::optional<Time> {
  if (world.now >= learned_step_->asked + gateway_patience) {
    return std::nullopt;
  }
  const auto then = view_.of(*learned_step_->policy, world.mirror);
  const auto& now = view_.now().members;
  const bool is_any_asked = std::ranges::any_of(then.members, [&](const reach::Member& member) {
    return member.asking && !member.inherited &&
           std::ranges::find(now, member.address, &reach::Member::address) == now.end();
  });
  return is_any_asked ? std::optional(learned_step_->asked + gateway_patience) : std::nullopt;
}

void Reconciler::take_learned(Moment& moment) {
  if (learned_step_ && policy::plain(learned_step_->policy) == policy::plain(policy_)) {
    policy_ = std::exchange(learned_step_, std::nullopt)->policy;
    moment.act(action::Follow{policy_, {}});
    look(moment);
  }
}

auto Reconciler::send_learned(Moment& moment) -> bool {
  learned_waits_until_.reset();
  if (!learned_step_ || policy::plain(learned_step_->policy) != policy::plain(policy_)) {
    return false;
  }
  learned_waits_until_ = learned_waits_until(moment.world());
  if (learned_waits_until_) {
    return false;
  }
  send_policy(std::exchange(learned_step_, std::nullopt), moment);
  return true;
}

void Reconciler::learned_failed(const std::string& why, Moment& moment) {
  if (!is_connected_) {
    look_soon(moment);  // nobody refused it: it is taken at once, and the next connection begins with it
    return;
  }
  if (std::exchange(learned_refusal_, why) != why) {
    moment.error("what is learned is not taken: {}", why);
  }
  learned_retries_at_ = moment.now() + refusal_pause;
  look_soon(moment);
}

}  // namespace sekisho::reconcile
