// The files are read again.
#include <spdlog/spdlog.h>

#include <utility>

#include "control/daemon/daemon.hpp"
#include "control/daemon/guards.hpp"
#include "control/daemon/timing.hpp"
#include "control/kernel/interface_addresses.hpp"

namespace sekisho {
namespace {

// How long a reload waits for neighbours that are new to us.
constexpr std::chrono::seconds longest_patience{1};

}  // namespace

void Daemon::reload(ReloadDone caller) {
  auto done = [this, caller = std::move(caller)](const tl::expected<api::Reloaded, std::string>& result) {
    reload_counts_.last_succeeded = result.has_value();
    ++(result ? reload_counts_.succeeded : reload_counts_.failed);
    if (result) {
      reload_counts_.last_success_unix_ms = now_unix_ms();
    }
    caller(result);
  };
  auto read = policy::read_to_run(options_.config, kernel::interface_addresses);
  if (!read) {
    const auto reason = read.error().to_string();
    spdlog::error("reload refused, the policy stays as it was: {}", reason);
    done(tl::unexpected(reason));
    return;
  }
  if (const auto possible = could_serve_metrics(**read); !possible) {
    spdlog::error("reload refused, the policy stays as it was: {}", possible.error());
    done(tl::unexpected(possible.error()));
    return;
  }
  for (const auto& warning : (*read)->warnings) {
    spdlog::warn("{}", warning);
  }
  Reload next{std::move(*read), std::move(done), std::chrono::steady_clock::now() + longest_patience};
  if (!dataplane_.connected()) {
    store(std::move(next));
    return;
  }
  // Before look() has the kernel forward at a new exit.
  if (auto guarded = guard(kernel::merge(guarded_, netdevs_of(*next.policy))); !guarded) {
    spdlog::error("reload refused: {}", guarded.error());
    next.done(tl::unexpected(guarded.error()));
    return;
  }
  reloads_.push_back(std::move(next));
  look();
  advance();
}

void Daemon::store(Reload reload) {
  if (auto done = guard(kernel::merge(guarded_, guard_of(*reload.policy))); !done) {
    spdlog::error("reload refused: {}", done.error());
    reload.done(tl::unexpected(done.error()));
    return;
  }
  policy_ = reload.policy;
  serve_metrics();
  look();
  spdlog::info("reloaded; the dataplane gets it when it is connected");
  reload.done(api::Reloaded{.applied = false, .committed = {}, .warnings = policy_->warnings});
}

}  // namespace sekisho
