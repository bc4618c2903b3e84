// The guard in nftables: wide before a transaction, narrow after it, and back when somebody removes it.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/daemon/daemon.hpp"
#include "control/daemon/guards.hpp"
#include "control/egress/host_stack.hpp"

namespace sekisho {
namespace {

// How long the guard may be missing after nftables has refused it.
constexpr std::chrono::seconds guard_retry_after{1};

}  // namespace

kernel::Guard guard_of(const policy::Policy& policy) {
  const config::Port* port = egress::exit_port(policy.config);
  return {.netdevs = policy.config.guarded_netdevs(),
          .exit = port == nullptr ? std::string{} : *port->netdev(),
          .exceptions = policy.exceptions};
}

kernel::Guard netdevs_of(const policy::Policy& policy) {
  return {.netdevs = policy.config.guarded_netdevs(), .exit = {}, .exceptions = {}};
}

void Daemon::on_nftables_changed() {
  const auto status = kernel::guard_status();
  if (status && *status == guarded_) {
    return;
  }
  if (const auto done = guard(guarded_)) {
    spdlog::warn("somebody removed or changed the guard in nftables; it is back");
  } else {
    spdlog::error("the kernel may forward in our stead: {}", done.error());
  }
}

// What nftables refuses is not remembered: a name that it will never take must not stand in the way of the
// others.
auto Daemon::guard(kernel::Guard wanted) -> tl::expected<void, std::string> {
  auto done = kernel::guard_on(wanted);
  if (done) {
    guarded_ = std::move(wanted);
  } else {
    guard_later();
  }
  return done;
}

// To what the policy says and the interfaces of those that wait.
auto Daemon::narrow_guard() -> tl::expected<void, std::string> {
  auto wanted = guard_of(*policy_);
  for (const auto& step : steps_) {
    if (step.policy) {
      wanted = kernel::merge(wanted, netdevs_of(*step.policy));
    }
  }
  std::vector<std::string> leaving;
  std::ranges::set_difference(guarded_.netdevs, wanted.netdevs, std::back_inserter(leaving));
  keep(leaving);
  return guard(std::move(wanted));
}

// Looks again whether the guard is as it should be.
void Daemon::guard_later() {
  guard_retry_.expires_after(guard_retry_after);
  guard_retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      on_nftables_changed();
    }
  });
}

}  // namespace sekisho
