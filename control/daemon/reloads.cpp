// Another policy takes the place of the one that runs: the files read again, or an override.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/api/override.hpp"
#include "control/daemon/daemon.hpp"
#include "control/daemon/timing.hpp"
#include "control/kernel/devices.hpp"
#include "control/kernel/interface_addresses.hpp"

namespace sekisho {
namespace {

// What a reload would read, besides the configuration itself.
std::vector<std::filesystem::path> files_of(const config::Config& config) {
  std::vector<std::filesystem::path> files;
  for (const auto& zone : config.zones) {
    for (const auto& spec : zone.routes) {
      if (spec.kind == config::RouteSpec::Kind::file) {
        files.push_back(spec.file);
      }
    }
  }
  if (!config.azure.service_tags.empty()) {
    files.push_back(config.azure.service_tags);
  }
  std::ranges::sort(files);
  const auto same = std::ranges::unique(files);
  files.erase(same.begin(), same.end());
  return files;
}

}  // namespace

std::string Daemon::Step::name() const {
  const auto* request = override_request();
  return request == nullptr ? "reload" : "route " + api::to_string(*request);
}

auto Daemon::read(const std::filesystem::path& file, const kernel::Mirror& mirror)
    -> tl::expected<Reading, std::string> {
  api::Sources sources{.read_unix_ms = now_unix_ms(), .files = {load::stamp(file)}};
  if (const auto config = config::read(file)) {  // what is wrong with it comes out below
    std::ranges::transform(files_of(*config), std::back_inserter(sources.files), load::stamp);
  }
  auto policy = policy::read_to_run(file, kernel::addresses_by(mirror));
  if (!policy) {
    return tl::unexpected(policy.error().to_string());
  }
  return Reading{std::move(*policy), std::move(sources)};
}

// A policy that waits for the command would come as a surprise.
auto Daemon::may_change() const -> tl::expected<void, std::string> {
  if (dataplane_.connected() && !command_.why_not().empty()) {
    return tl::unexpected("this sekisho-control does not command the dataplane: " + command_.why_not());
  }
  return {};
}

// That a port which runs would stop, harms() says. When control starts nothing of this is asked: which interface a port runs
// on is not known before the dataplane was asked, and that takes no two ports of one interface.
auto Daemon::read_again() const -> tl::expected<Reading, std::string> {
  auto reading = read(options_.config, mirror());
  if (!reading) {
    return reading;
  }
  if (const auto shared = kernel::shared_device(reading->policy->config, mirror())) {
    return tl::unexpected(shared->to_string());
  }
  auto fresh = reading->policy->config;
  std::erase_if(fresh.ports, [&](const config::Port& port) {
    const auto old = std::ranges::find(policy_->config.ports, port.name, &config::Port::name);
    return old != policy_->config.ports.end() &&
           (old->device == port.device || mirror().link_of(*old) != nullptr);
  });
  if (const auto missing = kernel::missing_devices(fresh, mirror()); !missing.empty()) {
    return tl::unexpected(missing.front().to_string());
  }
  return reading;
}

void Daemon::reload(bool force, ReloadDone caller) {
  auto done = [this, caller = std::move(caller)](const tl::expected<api::Reloaded, std::string>& result) {
    reload_counts_.last_succeeded = result.has_value();
    ++(result ? reload_counts_.succeeded : reload_counts_.failed);
    reload_counts_.refusal = result ? std::string() : result.error();
    if (result) {
      reload_counts_.last_success_unix_ms = now_unix_ms();
    }
    caller(result);
  };
  if (auto allowed = may_change(); !allowed) {
    spdlog::error("reload refused: {}", allowed.error());
    done(tl::unexpected(std::move(allowed.error())));
    return;
  }
  auto reading = read_again();
  const auto possible = reading ? could_serve_metrics(*reading->policy)
                                : tl::expected<void, std::string>(tl::unexpected(reading.error()));
  if (!possible) {
    spdlog::error("reload refused, the policy stays as it was: {}", possible.error());
    done(tl::unexpected(possible.error()));
    return;
  }
  for (const auto& warning : reading->policy->warnings) {
    spdlog::warn("{}", warning);
  }
  Step next{.policy = std::move(reading->policy),
            .from = std::move(reading->sources),
            .done = std::move(done),
            .force = force,
            .asked = std::chrono::steady_clock::now()};
  if (!dataplane_.connected()) {
    store(std::move(next));
    return;
  }
  steps_.push_back(std::move(next));
  // Before look() has the kernel forward at a new exit.
  if (auto guarded = guard(); !guarded) {
    const auto refused = std::move(steps_.back());
    steps_.pop_back();
    spdlog::error("reload refused: {}", guarded.error());
    refused.done(tl::unexpected(guarded.error()));
    return;
  }
  look();
  advance();
}

auto Daemon::plan() -> tl::expected<api::Plan, std::string> {
  auto reading = read_again();
  if (!reading) {
    return tl::unexpected(std::move(reading.error()));
  }
  if (auto possible = could_serve_metrics(*reading->policy); !possible) {
    return tl::unexpected(std::move(possible.error()));
  }
  return plan_to(std::move(reading->policy));
}

void Daemon::rehearse(std::function<void(tl::expected<api::Plan, std::string>)> done) {
  auto plan = may_change().and_then([&] { return this->plan(); });
  if (!plan || !dataplane_.connected()) {
    done(std::move(plan));
    return;
  }
  steps_.push_back({.policy = std::move(plan->after),
                    .from = api::Sources{},
                    .done = [](const auto&) {},
                    .asked = std::chrono::steady_clock::now(),
                    .rehearsed = std::move(done)});
  keep();
  advance();
}

void Daemon::change_route(api::OverrideRequest request, ReloadDone done) {
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
  auto policy = api::apply(*policy_, *request);
  if (!policy) {
    step.done(tl::unexpected(policy.error()));
    return false;
  }
  step.policy = std::move(*policy);
  return true;
}

auto Daemon::adopt(const Step& step) -> std::size_t {
  const auto* sources = std::get_if<api::Sources>(&step.from);
  const auto dropped = sources == nullptr ? 0 : policy_->overrides.size();
  if (sources != nullptr) {
    sources_ = *sources;
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
  step.done(api::Reloaded{
      .applied = false, .committed = {}, .warnings = policy_->warnings, .overrides_dropped = dropped});
}

}  // namespace sekisho
