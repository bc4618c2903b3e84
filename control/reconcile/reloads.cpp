// Another policy takes the place of the one that runs: the files read again, or an override.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "control/netlink/devices.hpp"
#include "control/reconcile/daemon.hpp"
#include "control/reconcile/timing.hpp"
#include "control/serve/override.hpp"

namespace sekisho::reconcile {

std::string Daemon::Step::name() const {
  const auto* request = override_request();
  return request == nullptr ? "reload" : "route " + serve::to_string(*request);
}

// A policy that waits for the command would come as a surprise.
auto Daemon::may_change() const -> tl::expected<void, std::string> {
  if (dataplane_.connected() && !command_.why_not().empty()) {
    return tl::unexpected("this sekisho-control does not command the dataplane: " + command_.why_not());
  }
  return {};
}

void Daemon::reload(bool force, ReloadDone caller) {
  auto done = [this, caller = std::move(caller)](const tl::expected<serve::Reloaded, std::string>& result) {
    reload_counts_.last_succeeded = result.has_value();
    ++(result ? reload_counts_.succeeded : reload_counts_.failed);
    reload_counts_.refusal = result ? std::string() : result.error();
    if (result) {
      reload_counts_.last_success_unix_ms = now_unix_ms();
    }
    caller(result);
  };
  reader_->read(
      [this, force, done = std::move(done)](const Reading& reading) { take(reading, force, done); });
}

// That a port which runs would stop, harms() says. When control starts nothing of this is asked: which interface a port runs
// on is not known before the dataplane was asked, and that takes no two ports of one interface.
auto Daemon::admissible(const Reading& reading)
    -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  if (!reading.policy) {
    return tl::unexpected(reading.policy.error().to_string());
  }
  const auto& policy = *reading.policy;
  if (const auto shared = netlink::shared_device(policy->config, mirror())) {
    return tl::unexpected(shared->to_string());
  }
  auto fresh = policy->config;
  std::erase_if(fresh.ports, [&](const config::Port& port) {
    const auto old = std::ranges::find(policy_->config.ports, port.name, &config::Port::name);
    return old != policy_->config.ports.end() &&
           (old->device == port.device || mirror().link_of(*old) != nullptr);
  });
  if (const auto missing = netlink::missing_devices(fresh, mirror()); !missing.empty()) {
    return tl::unexpected(missing.front().to_string());
  }
  return could_serve_metrics(*policy).map([&] { return policy; });
}

void Daemon::take(const Reading& reading, bool force, ReloadDone done) {
  const auto refuse = [&](const std::string& reason) {
    spdlog::error("reload refused, the policy stays as it was: {}", reason);
    done(tl::unexpected(reason));
  };
  if (const auto allowed = may_change(); !allowed) {
    refuse(allowed.error());
    return;
  }
  const auto policy = admissible(reading);
  if (!policy) {
    refuse(policy.error());
    return;
  }
  // Of requests that share a read the first tells.
  if (steps_.empty() || steps_.back().policy != *policy) {
    for (const auto& warning : (*policy)->warnings) {
      spdlog::warn("{}", warning);
    }
  }
  Step next{.policy = *policy,
            .from = reading.sources,
            .done = std::move(done),
            .force = force,
            .asked = std::chrono::steady_clock::now()};
  if (!dataplane_.connected()) {
    store(std::move(next));
    return;
  }
  push(std::move(next));
  // Before look() has the kernel forward at a new exit.
  if (auto guarded = guard(); !guarded) {
    const auto refused = std::move(steps_.back());
    steps_.pop_back();
    spdlog::error("reload refused: {}", guarded.error());
    refused.done(tl::unexpected(guarded.error()));
    return;
  }
  if (std::exchange(step_is_due_, true)) {
    return;
  }
  boost::asio::post(io_, [this] {
    step_is_due_ = false;
    look();
    advance();
  });
}

// A reload that still waits for its turn gives it to a later one, which was read after it: a burst of signals is one step.
void Daemon::push(Step step) {
  if (!steps_.empty() && steps_.back().gives_way_to(step)) {
    step.done = [first = std::move(steps_.back().done), second = std::move(step.done)](const auto& result) {
      first(result);
      second(result);
    };
    steps_.pop_back();
  }
  steps_.push_back(std::move(step));
}

auto Daemon::plan_to(const Reading& reading) -> tl::expected<serve::Plan, std::string> {
  return admissible(reading).map([this](auto policy) { return plan_to(std::move(policy)); });
}

void Daemon::plan(std::function<void(const serve::Planned&)> done) {
  reader_->read([this, done = std::move(done)](const Reading& reading) {
    done({.plan = plan_to(reading), .files = reading.files});
  });
}

void Daemon::rehearse(std::function<void(tl::expected<serve::Plan, std::string>)> done) {
  reader_->read([this, done = std::move(done)](const Reading& reading) {
    auto plan = may_change().and_then([&] { return plan_to(reading); });
    if (!plan || !dataplane_.connected()) {
      done(std::move(plan));
      return;
    }
    steps_.push_back({.policy = std::move(plan->after),
                      .from = serve::Sources{},
                      .done = [](const auto&) {},
                      .asked = std::chrono::steady_clock::now(),
                      .rehearsed = done});
    keep();
    advance();
  });
}

void Daemon::look_beside() {
  PolicyReader::Files files;
  std::ranges::transform(sources_.files, std::back_inserter(files), &base::Stamp::file);
  reader_->look_beside(std::move(files));
}

void Daemon::change_route(serve::OverrideRequest request, ReloadDone done) {
  if (auto allowed = may_change(); !allowed) {
    done(tl::unexpected(std::move(allowed.error())));
    return;
  }
  Step next{.policy = nullptr, .from = std::move(request), .done = std::move(done), .is_verified = true};
  if (!dataplane_.connected()) {
    store(std::move(next));
    return;
  }
  steps_.push_back(std::move(next));
  advance();
}

auto Daemon::resolve(Step& step) -> bool {
  const auto* request = step.override_request();
  if (request == nullptr) {
    return true;
  }
  auto policy = serve::apply(*policy_, *request);
  if (!policy) {
    step.done(tl::unexpected(policy.error()));
    return false;
  }
  step.policy = std::move(*policy);
  return true;
}

auto Daemon::adopt(const Step& step) -> std::size_t {
  const auto* sources = std::get_if<serve::Sources>(&step.from);
  const auto dropped = sources == nullptr ? 0 : policy_->overrides.size();
  if (sources != nullptr) {
    sources_ = *sources;
    file_watch_.follow(sources_.files);
    look_beside();
  }
  if (dropped != 0) {
    spdlog::info("the reload ends {} override{} of `sekisho route`", dropped, dropped == 1 ? "" : "s");
  }
  policy_ = step.policy;
  serve_metrics();
  return dropped;
}

void Daemon::store(Step step) {
  if (step.rehearsed) {
    step.rehearsed(plan_to(step.policy));
    return;
  }
  if (!resolve(step) || !is_harmless(step)) {
    return;
  }
  if (auto done = guard_->close(guard::merge(guard_->wanted(), guard_of(*step.policy))); !done) {
    spdlog::error("{} refused: {}", step.name(), done.error());
    step.done(tl::unexpected(done.error()));
    return;
  }
  let_out_ = guard_->wanted();
  const auto dropped = adopt(step);
  guard();
  look();
  spdlog::info("{} done; the dataplane gets it when it is connected", step.name());
  step.done(serve::Reloaded{
      .applied = false, .committed = {}, .warnings = policy_->warnings, .overrides_dropped = dropped});
}

}  // namespace sekisho::reconcile
