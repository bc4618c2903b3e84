// What the guard must be: what the policies say that run or are to come, on the interfaces that are there now.
#include <spdlog/spdlog.h>

#include <utility>

#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {

guard::Guard Daemon::guard_of(const policy::Policy& policy) const {
  return guard::guard_of(policy.config, policy.exceptions, netlink_->mirror());
}

// Ports of the policy that runs, of the one that is being sent and of those that wait; what the dataplane may let out
// until the next commit.
guard::Guard Daemon::wanted_guard() const {
  auto wanted = guard_of(*policy_);
  if (sending_) {
    wanted = guard::merge(wanted, guard_of(*sending_));
  }
  for (const auto& step : steps_) {
    if (step.policy && !step.rehearsed) {
      wanted = guard::merge(wanted, guard::ports_of(step.policy->config, netlink_->mirror()));
    }
  }
  guard::Guard out = let_out_;
  out.allow = wanted.allow;
  return guard::merge(out, wanted);
}

auto Daemon::guard() -> tl::expected<void, std::string> {
  auto wanted = wanted_guard();
  report_missing_ports();
  return guard_->close(std::move(wanted));
}

// Once for each change of what is missing.
void Daemon::report_missing_ports() {
  std::set<std::string> missing;
  if (!policy_->config.guard.whole_host) {
    for (const auto* port : guard::missing_ports(policy_->config, netlink_->mirror())) {
      missing.insert(port->name);
    }
  }
  for (const auto& port : missing) {
    if (!missing_ports_.contains(port)) {
      spdlog::warn(
          "port {}: its interface is not there; until it is, the kernel forwards for nobody, [guard] allow "
          "or not",
          port);
    }
  }
  missing_ports_ = std::move(missing);
}

}  // namespace sekisho::reconcile
