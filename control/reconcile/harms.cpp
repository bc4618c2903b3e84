// SPDX-License-Identifier: BSD-3-Clause
// A reload waits for members that are new to us, and is refused when it would break what works.
#include <algorithm>
#include <utility>

#include "control/reconcile/reconciler.hpp"
#include "control/sync/harm.hpp"

namespace sekisho::reconcile {
namespace {

// For neighbours that are new to us: traffic that moves to a gateway before the kernel has found it would be dropped.
constexpr std::chrono::seconds patience{1};
// For the last hope of a next hop that is alive now.
constexpr std::chrono::seconds longest_patience{5};

// Why the port has no device; empty: it has one, as far as can be told without opening it.
std::string absence(const config::Port& port, const World& world) {
  if (port.is_af_xdp()) {
    const auto link = world.mirror.find_link_of(port);
    return link ? std::string() : link.error();
  }
  return world.has_device(port.device) ? std::string() : fmt::format("there is no device {}", port.device);
}

}  // namespace

auto Reconciler::harms(const policy::Policy& then, const World& world) const -> std::vector<sync::Harm> {
  sync::Devices devices;
  for (const auto& port : policy_->config.ports) {
    if (!failures_.ports().contains(port.name) && absence(port, world).empty()) {
      devices.running.insert(port.name);
    }
  }
  for (const auto& port : then.config.ports) {
    if (auto why = absence(port, world); !why.empty()) {
      devices.absent.emplace(port.name, std::move(why));
    }
  }
  auto result = sync::harms({*policy_, view_.now()}, {then, view_.of(then, world.mirror)}, devices);
  if (!is_connected_) {
    // It will be back, and what would not come back with it is refused as well. Nobody is asked whether they answer.
    std::erase_if(result, &sync::Harm::may_heal);
  }
  return result;
}

auto Reconciler::waits_until(const Step& step, const World& world) const -> std::optional<Time> {
  if (!step.policy) {
    return std::nullopt;
  }
  if (world.now < step.asked + patience) {
    const auto view = view_.of(*step.policy, world.mirror);
    if ((view.exit && view.exit->asking) ||
        std::ranges::any_of(view.members,
                            [](const reach::Member& member) { return member.asking && !member.inherited; })) {
      return step.asked + patience;
    }
  }
  if (!step.force && world.now < step.asked + longest_patience) {
    const auto found = harms(*step.policy, world);
    if (!found.empty() && std::ranges::all_of(found, &sync::Harm::may_heal)) {
      return step.asked + longest_patience;
    }
  }
  return std::nullopt;
}

auto Reconciler::is_harmless(const Step& step, Moment& moment) -> bool {
  const auto found = !step.is_override() ? harms(*step.policy, moment.world()) : std::vector<sync::Harm>();
  if (found.empty()) {
    return true;
  }
  if (step.force) {
    moment.warn("{}, by force: {}", step.name(), sync::to_string(found));
    return true;
  }
  moment.error("{} refused, the policy stays as it was: {}", step.name(), sync::to_string(found));
  // Neither its interfaces nor its exit are wanted any more.
  keep(moment);
  close_guard(moment);
  refuse(
      step,
      fmt::format("{}. Nothing was changed; with --force it is applied all the same", sync::to_string(found)),
      moment);
  return false;
}

}  // namespace sekisho::reconcile
