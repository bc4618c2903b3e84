// One transaction at a time: which is next, and what becomes of it.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "common/base/memory_reserve.hpp"
#include "control/reconcile/daemon.hpp"
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

void Daemon::advance() {
  if (in_flight_ || !has_taken_over_ || !dataplane_.connected() || !command_.is_held()) {
    return;
  }
  if (!steps_.empty() && !steps_.front().is_verified && told_) {
    verify();
  } else if (!steps_.empty()) {
    if (const auto then = waits_until(steps_.front())) {
      patience_.expires_at(*then);
      patience_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
          advance();
        }
      });
      // A member that dies meanwhile loses its traffic at once.
      if (told_) {
        send_incremental();
      }
      return;
    }
    auto next = std::move(steps_.front());
    steps_.pop_front();
    if (!next.rehearsed && resolve(next) && is_harmless(next)) {
      send_policy(std::move(next));
      return;
    }
    if (next.rehearsed) {
      next.rehearsed(plan_to(next.policy));
    }
    boost::asio::post(io_, [this] { advance(); });
  } else if (!told_) {
    send_policy(std::nullopt);
  } else {
    send_incremental();
  }
}

void Daemon::verify() {
  in_flight_ = true;
  ipc::Request request;
  request.mutable_get_state();
  dataplane_.ask(std::move(request), [this](const auto& answer) {
    in_flight_ = false;
    if (!steps_.empty()) {
      steps_.front().is_verified = true;
    }
    if (answer && told_) {
      const auto& state = answer->back().state();
      if (state.transaction() != transaction_) {
        heal(fmt::format("it is at transaction {}, not {}", state.transaction(), transaction_));
      } else if (const auto difference = sync::disagreement(state, sync::objects(*policy_, *told_))) {
        heal(*difference);
      }
    }
    advance();
  });
}

void Daemon::heal(const std::string& why) {
  spdlog::warn("the dataplane has not what it was told ({}); it gets the whole policy", why);
  told_.reset();
}

// The step's policy, or without one the policy that runs, whole. A step is told as what it changes where the dataplane
// has exactly what it changes from; one that failed to start something is to try again, which only a full transaction does.
void Daemon::send_policy(std::optional<Step> step) {
  const auto policy = step ? step->policy : policy_;
  // Until the dataplane has committed, what either policy lets out may leave.
  sending_ = policy;
  if (auto done = guard(); !done) {
    sending_.reset();
    if (step) {
      spdlog::error("{} refused: {}", step->name(), done.error());
      step->done(tl::unexpected(done.error()));
      boost::asio::post(io_, [this] { advance(); });
    } else {
      refused(done.error());
    }
    return;
  }
  auto view = step ? view_of(*policy) : view_;
  const bool is_full = !step || !told_ || !failed_ports_.empty() || !failed_exit_.empty();
  std::optional<std::vector<ipc::Change>> changes;
  try {
    changes = is_full ? sync::full(*policy, view) : sync::between(*policy_, *told_, *policy, view);
  } catch (const std::bad_alloc&) {  // refused below
  }
  in_flight_ = true;
  auto on_answer = [this, is_full, view = std::move(view), step = std::move(step)](
                       const tl::expected<std::vector<ipc::Reply>, std::string>& answer) mutable {
    in_flight_ = false;
    sending_.reset();
    if (!answer && !is_full && dataplane_.connected()) {
      spdlog::warn("the dataplane refused what changes ({}); it gets the whole policy", answer.error());
      told_.reset();
      send_policy(std::move(step));
      return;
    }
    const bool goes_on = answer || step;  // a refused policy waits for the timer
    on_policy(std::move(view), std::move(step), answer);
    if (goes_on) {
      advance();
    }
  };
  if (changes) {
    dataplane_.transact(is_full, std::move(*changes), std::move(on_answer));
  } else {
    boost::asio::post(io_, [on_answer = std::move(on_answer)]() mutable {
      on_answer(tl::unexpected(std::string{base::no_memory}));
    });
  }
}

void Daemon::on_policy(sync::View view, std::optional<Step> step,
                       const tl::expected<std::vector<ipc::Reply>, std::string>& answer) {
  if (!answer) {
    if (!step) {
      refused(answer.error());
      return;
    }
    spdlog::error("{} refused, the policy stays as it was: {}", step->name(), answer.error());
    // Whether a dataplane that is gone took the new policy, we do not know: the next commit tidies up.
    if (!told_ || !dataplane_.connected()) {
      let_out_ = guard_->wanted();
    }
    guard();
    step->done(tl::unexpected(answer.error()));
    return;
  }
  const ipc::Committed& result = answer->back().committed();
  const auto dropped = step ? adopt(*step) : 0;
  let_out_ = {};
  guard();
  // Attempts to start a failed port are whole policies too; they are not worth a line each.
  spdlog::log(step || std::exchange(is_new_connection_, false) ? spdlog::level::info : spdlog::level::debug,
              "{}: {}", step ? step->name() + " done" : "the dataplane has the whole policy",
              summary(result));
  committed(result, std::move(view));
  netlink_->refresh();  // the dataplane may have made interfaces
  look();
  if (step) {
    step->done(serve::Reloaded{
        .applied = true, .committed = result, .warnings = policy_->warnings, .overrides_dropped = dropped});
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

void Daemon::committed(const ipc::Committed& committed, sync::View view) {
  told_ = std::move(view);
  last_refusal_.clear();
  const auto expected = std::exchange(transaction_, committed.transaction()) + 1;
  if (std::exchange(is_to_heal_, false)) {
    told_.reset();
  } else if (expected != 1 && expected != transaction_) {
    heal(fmt::format("this was transaction {}, not {}: somebody else changes it", transaction_, expected));
  }
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
  bind_ports();
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
    if (!has_taken_over_) {
      if (dataplane_.connected()) {
        take_over();
      }
      return;
    }
    if (!told_ || !failed_ports_.empty() || !failed_exit_.empty()) {
      told_.reset();
      advance();
    }
  });
}

}  // namespace sekisho::reconcile
