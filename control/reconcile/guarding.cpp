// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/guarding.hpp"

#include <string_view>
#include <utility>

namespace sekisho::reconcile {

auto Guarding::wanted(const Policies& policies, const netlink::Mirror& mirror) const -> guard::Guard {
  const auto of = [&](const policy::Policy& policy) {
    return guard::guard_of(policy.config, policy.exceptions, mirror);
  };
  auto wanted = of(policies.runs);
  if (policies.under_way != nullptr) {
    wanted = guard::merge(wanted, of(*policies.under_way));
  }
  for (const auto& step : policies.waiting) {
    if (step.policy && !step.is_rehearsal()) {
      wanted = guard::merge(wanted, guard::ports_of(step.policy->config, mirror));
    }
  }
  guard::Guard out = let_out_;
  out.allow = wanted.allow;
  return guard::merge(out, wanted);
}

auto Guarding::close(const Policies& policies, Moment& moment) -> std::uint64_t {
  asked_ = wanted(policies, moment.mirror());
  report_missing_ports(policies.runs.config, moment);
  moment.act(action::CloseGuard{++number_, asked_});
  return number_;
}

void Guarding::remember(const ipc::State& state) {
  guard::Guard running;
  for (const auto& port : state.ports()) {
    constexpr std::string_view af_xdp = "af_xdp:";
    if (port.device().starts_with(af_xdp)) {
      running.names.insert(port.device().substr(af_xdp.size()));
    }
  }
  let_out_ = guard::remember(running, std::move(let_out_));
}

// Once for each change of what is missing.
void Guarding::report_missing_ports(const config::Config& config, Moment& moment) {
  std::set<std::string> missing;
  if (!config.guard.whole_host) {
    for (const auto* port : guard::missing_ports(config, moment.mirror())) {
      missing.insert(port->name);
    }
  }
  for (const auto& port : missing) {
    if (!missing_ports_.contains(port)) {
      moment.warn(
          "port {}: its interface is not there; until it is, the kernel forwards for nobody, [guard] allow "
          "or not",
          port);
    }
  }
  missing_ports_ = std::move(missing);
}

}  // namespace sekisho::reconcile
