// One transaction at a time: which is next, and what becomes of it.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "control/daemon/daemon.hpp"
#include "control/daemon/guards.hpp"
#include "control/daemon/timing.hpp"

namespace sekisho {
namespace {

std::string summary(const api::Committed& committed) {
  return fmt::format("ports {}, next hops {}, adjacencies {}, zones {}, routes +{} ~{} -{}",
                     committed.ports_changed(), committed.next_hops_changed(),
                     committed.adjacencies_changed(), committed.zones_changed(), committed.routes_added(),
                     committed.routes_changed(), committed.routes_removed());
}

}  // namespace

void Daemon::advance() {
  if (in_flight_ || !has_taken_over_ || !dataplane_.connected()) {
    return;
  }
  if (!reloads_.empty()) {
    if (is_to_wait(reloads_.front())) {
      patience_.expires_at(reloads_.front().patience);
      patience_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
          advance();
        }
      });
      return;
    }
    auto next = std::move(reloads_.front());
    reloads_.pop_front();
    send_full(std::move(next));
  } else if (!told_) {
    send_full(std::nullopt);
  } else {
    send_incremental();
  }
}

// A gateway that is new to us has no neighbour yet: traffic that moves to it before the kernel has found it
// would be dropped.
bool Daemon::is_to_wait(const Reload& reload) const {
  if (std::chrono::steady_clock::now() >= reload.patience) {
    return false;
  }
  const auto exit = egress::exit(reload.policy->config, netlink_->mirror());
  return (exit && exit->asking) ||
         std::ranges::any_of(egress::members(reload.policy->config, netlink_->mirror(), inherited_),
                             [](const egress::Member& member) { return member.asking && !member.inherited; });
}

void Daemon::send_full(std::optional<Reload> reload) {
  const auto policy = reload ? reload->policy : policy_;
  // Until the dataplane has let go of them, ports of the old policy stay guarded beside those of the new.
  if (auto done = guard(kernel::merge(guarded_, guard_of(*policy))); !done) {
    if (reload) {
      spdlog::error("reload refused: {}", done.error());
      reload->done(tl::unexpected(done.error()));
      boost::asio::post(io_, [this] { advance(); });
    } else {
      refused(done.error());
    }
    return;
  }
  auto view = reload ? sync::view(policy->config, netlink_->mirror(), inherited_) : view_;
  auto changes = sync::full(*policy, view);
  in_flight_ = true;
  sending_ = policy;
  dataplane_.transact(
      true, std::move(changes),
      [this, policy, view = std::move(view), reload = std::move(reload)](const auto& answer) mutable {
        in_flight_ = false;
        sending_.reset();
        const bool goes_on = answer || reload;  // a refused policy waits for the timer
        on_full(policy, std::move(view), std::move(reload), answer);
        if (goes_on) {
          advance();
        }
      });
}

void Daemon::on_full(const std::shared_ptr<const policy::Policy>& policy, sync::View view,
                     std::optional<Reload> reload,
                     const tl::expected<std::vector<api::Reply>, std::string>& answer) {
  if (!answer) {
    if (!reload) {
      refused(answer.error());
      return;
    }
    spdlog::error("reload refused, the policy stays as it was: {}", answer.error());
    // The dataplane did not take the new ports. Whether one that is gone did, we do not know: the next commit
    // tidies up.
    if (told_ && dataplane_.connected()) {
      if (const auto done = narrow_guard(); !done) {
        spdlog::error("{}", done.error());
      }
    }
    reload->done(tl::unexpected(answer.error()));
    return;
  }
  const api::Committed& result = answer->back().committed();
  policy_ = policy;
  serve_metrics();
  if (const auto done = narrow_guard(); !done) {
    spdlog::error("the kernel may forward in our stead: {}", done.error());
  }
  // Attempts to start a failed port are whole policies too; they are not worth a line each.
  spdlog::log(reload || std::exchange(is_new_connection_, false) ? spdlog::level::info : spdlog::level::debug,
              "{}: {}", reload ? "reloaded" : "the dataplane has the whole policy", summary(result));
  committed(result, std::move(view));
  netlink_->refresh();  // the dataplane may have made interfaces
  look();
  if (reload) {
    reload->done(api::Reloaded{.applied = true, .committed = result, .warnings = policy_->warnings});
  }
}

void Daemon::send_incremental() {
  auto changes = sync::incremental(*policy_, *told_, view_);
  if (changes.empty()) {
    return;
  }
  in_flight_ = true;
  dataplane_.transact(false, std::move(changes), [this, view = view_](const auto& answer) mutable {
    in_flight_ = false;
    if (answer) {
      committed(answer->back().committed(), std::move(view));
      advance();
    } else {
      refused(answer.error());
    }
  });
}

void Daemon::committed(const api::Committed& committed, sync::View view) {
  told_ = std::move(view);
  last_refusal_.clear();
  std::map<std::string, std::string> failed;
  for (const auto& port : committed.failed_ports()) {
    failed[port.name()] = port.error();
    if (const auto old = failed_ports_.find(port.name());
        old == failed_ports_.end() || old->second != port.error()) {
      spdlog::warn("port {} failed: {}", port.name(), port.error());
    }
  }
  for (const auto& [port, why] : failed_ports_) {
    if (!failed.contains(port)) {
      spdlog::info("port {} runs now", port);
    }
  }
  failed_ports_ = std::move(failed);
  const auto& exit = committed.exit();
  auto failed_exit = committed.has_exit() && !exit.running() ? exit.error() : std::string{};
  if (!failed_exit.empty() && failed_exit != failed_exit_) {
    spdlog::warn("next hop Internet: {}", failed_exit);
  }
  failed_exit_ = std::move(failed_exit);
  if (failed_ports_.empty() && failed_exit_.empty()) {
    retry_pause_ = first_retry;
  } else {
    retry_later();
  }
}

void Daemon::refused(const std::string& reason) {
  told_.reset();
  if (!dataplane_.connected()) {
    return;  // on_disconnected says so, and on_connected begins anew
  }
  if (std::exchange(last_refusal_, reason) != reason) {
    spdlog::error("the dataplane has not taken the policy: {}", reason);
  }
  retry_later();
}

void Daemon::retry_later() {
  if (std::exchange(retry_runs_, true)) {
    return;
  }
  retry_.expires_after(retry_pause_);
  retry_pause_ = std::min(2 * retry_pause_, last_retry);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (error) {
      return;
    }
    retry_runs_ = false;
    if (!told_ || !failed_ports_.empty() || !failed_exit_.empty()) {
      told_.reset();
      advance();
    }
  });
}

}  // namespace sekisho
