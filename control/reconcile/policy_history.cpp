// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/policy_history.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {
namespace {

constexpr std::chrono::seconds pause_between_attempts{10};

auto pin_of(std::optional<std::uint64_t> policy) -> std::optional<history::Pin> {
  return policy ? std::optional(history::Pin{.policy = *policy}) : std::nullopt;
}

}  // namespace

PolicyHistory::PolicyHistory(boost::asio::io_context& io, std::filesystem::path config,
                             const std::filesystem::path& state_directory, std::function<void()> take_back,
                             Told told)
    : timer_(io),
      config_(std::move(config)),
      take_back_(std::move(take_back)),
      told_(std::move(told)),
      store_(history::directory_in(state_directory)) {}

void PolicyHistory::open() {
  store_ = history::Store::open(store_.directory());
  store_.remove_unfinished();
}

// --- Where a policy comes from.

auto PolicyHistory::configuration(std::string cause) const -> Source {
  return {.config = config_,
          .copy = CopyOrder{
              .directory = store_.directory(), .newest = store_.newest_root(), .cause = std::move(cause)}};
}

auto PolicyHistory::source_of(std::uint64_t policy) const -> tl::expected<Source, std::string> {
  const auto* entry = store_.find(policy);
  if (entry == nullptr) {
    return tl::unexpected(fmt::format("policy {} is not in the history: `sekisho history` lists it", policy));
  }
  const auto root = store_.root(policy);
  return Source{.config = history::beneath(root, entry->files.front()), .root = root, .policy = policy};
}

auto PolicyHistory::source_that_starts() const -> Source {
  const auto& pin = store_.pin();
  return pin ? source_of(pin->policy).value_or(configuration()) : configuration();
}

auto PolicyHistory::source_at_start() -> Source {
  for (const auto& problem : store_.problems()) {
    spdlog::error("{}", problem);
  }
  const auto pinned = store_.pin();
  if (!pinned) {
    return configuration();
  }
  if (pinned->is_trial) {
    spdlog::warn("what was reloaded on trial was not confirmed before the restart: policy {} is put back",
                 pinned->policy);
    static_cast<void>(keep_pin(pin_of(pinned->policy)));
  } else {
    spdlog::warn("policy {} of the history is started instead of {}: `sekisho reload` ends that",
                 pinned->policy, config_.native());
  }
  return source_that_starts();
}

// 0 is the one before the trial, or the newest of those before the one that runs.
auto PolicyHistory::number_of(std::uint64_t wanted) const -> tl::expected<std::uint64_t, std::string> {
  if (wanted != 0 || phase_ != Phase::settled) {
    return wanted != 0 ? wanted : before_;
  }
  const auto& entries = store_.entries();
  const auto older = std::find_if(entries.rbegin(), entries.rend(), [&](const history::Entry& entry) {
    return !runs_ || entry.number < *runs_;
  });
  if (older == entries.rend()) {
    return tl::unexpected(std::string{"the history has no policy before the one that runs"});
  }
  return older->number;
}

auto PolicyHistory::source_for(const serve::ReloadOrder& order) const -> tl::expected<Source, std::string> {
  if (!order.policy) {
    return configuration("reload");
  }
  return number_of(*order.policy).and_then([&](std::uint64_t number) { return source_of(number); });
}

auto PolicyHistory::rehearsed(const serve::Rehearsal& what) const -> tl::expected<Source, std::string> {
  auto source = source_for({.policy = what.policy}).map([&](Source from) {
    from.copy.reset();
    return from;
  });
  if (source && !what.config.empty()) {
    source->config = what.config;
  }
  return source;
}

// --- A reload, from its beginning to its end.

auto PolicyHistory::goes_back(const serve::ReloadOrder& order) const -> bool {
  return (phase_ == Phase::on_trial || phase_ == Phase::taking_back) && order.policy == 0U &&
         !order.confirm_within;
}

// Why there must be no reload now; empty: there may.
auto PolicyHistory::why_not_now(const serve::ReloadOrder& order) const -> std::string {
  if (phase_ == Phase::beginning) {
    return "a reload on trial is under way";
  }
  if (phase_ == Phase::on_trial && !goes_back(order)) {
    return "what was reloaded before is on trial: `sekisho confirm` keeps it, `sekisho rollback` takes it "
           "back";
  }
  // Where that fails again and again, another policy is the way out.
  if (phase_ == Phase::taking_back && (order.confirm_within || under_way_ != 0)) {
    return fmt::format("policy {} is being put back", before_);
  }
  if (!order.confirm_within) {
    return "";
  }
  if (under_way_ != 0) {
    return "another reload is under way";
  }
  return runs_ ? "" : "the policy that runs has no copy that could be put back: " + why_none_;
}

auto PolicyHistory::begin(const serve::ReloadOrder& order, const std::function<Reading()>& running)
    -> tl::expected<std::variant<Source, Reading>, std::string> {
  if (auto why = why_not_now(order); !why.empty()) {
    return tl::unexpected(std::move(why));
  }
  if (goes_back(order)) {
    phase_ = Phase::taking_back;
    timer_.cancel();
    ++under_way_;
    return *before_reading_;
  }
  auto source = source_for(order);
  if (!source) {
    return tl::unexpected(std::move(source.error()));
  }
  if (order.confirm_within) {
    phase_ = Phase::beginning;
    before_ = *runs_;
    before_reading_ = running();
    pin_before_ = store_.pin();
    is_of_history_ = order.policy.has_value();
    source->pin = PinOrder{.directory = store_.directory(), .pin = trial_pin()};
  }
  ++under_way_;
  return std::move(*source);
}

auto PolicyHistory::trial_pin() const -> history::Pin {
  return {.policy = before_, .is_trial = true};
}

auto PolicyHistory::holds(const std::filesystem::path& file) const -> bool {
  const auto relative = file.lexically_relative(store_.directory());
  return !relative.empty() && *relative.begin() != "..";
}

void PolicyHistory::ran(const serve::Sources& sources) {
  runs_.reset();
  if (sources.policy) {
    runs_ = sources.policy;
  } else if (sources.copy == nullptr) {
    why_none_ = sources.not_copied;
  } else {
    const auto spared = phase_ == Phase::settled ? std::nullopt : std::optional{before_};
    auto kept = store_.keep(*sources.copy, spared);
    if (kept) {
      runs_ = *kept;
    } else {
      why_none_ = std::move(kept.error());
    }
  }
  if (!runs_) {
    spdlog::error("the policy that runs is not in the history: {}", why_none_);
  }
}

void PolicyHistory::end(const serve::ReloadOrder& order, tl::expected<serve::Reloaded, std::string>& result) {
  --under_way_;
  std::string why_not_kept;
  if (goes_back(order)) {
    end_taking_back(result ? "" : result.error());
  } else if (order.confirm_within) {
    end_beginning(*order.confirm_within, result.has_value());
  } else if (result) {
    phase_ = Phase::settled;
    timer_.cancel();
    before_reading_.reset();
    why_not_back_.clear();
    why_not_kept = keep_pin(pin_of(order.policy ? runs_ : std::nullopt));
  } else if (phase_ == Phase::taking_back) {
    wait(pause_between_attempts);  // this was in the way of the next
  }
  if (!result) {
    return;
  }
  result->policy = runs_;
  if (!runs_) {
    result->warnings.push_back("the policy is not in the history: " + why_none_);
  }
  if (!why_not_kept.empty()) {
    result->warnings.push_back(std::move(why_not_kept));
  }
  if (phase_ == Phase::on_trial) {
    result->confirm_until_unix_ms = until_unix_ms_;
  }
}

void PolicyHistory::overridden(const std::function<Reading()>& running) {
  if (phase_ == Phase::beginning) {
    before_reading_ = running();
  }
}

void PolicyHistory::end_taking_back(const std::string& why_not) {
  why_not_back_ = why_not;
  if (!why_not.empty()) {
    spdlog::error("policy {} is not put back yet, that is tried again: {}", before_, why_not);
    wait(pause_between_attempts);
    return;
  }
  phase_ = Phase::settled;
  timer_.cancel();
  before_reading_.reset();
  static_cast<void>(keep_pin(pin_of(before_)));
  told_("taken back", fmt::format("what was reloaded on trial is taken back: policy {} runs again", before_));
}

void PolicyHistory::end_beginning(std::chrono::seconds within, bool runs) {
  if (!runs) {
    phase_ = Phase::settled;
    before_reading_.reset();
    static_cast<void>(keep_pin(pin_before_));
    return;
  }
  phase_ = Phase::on_trial;
  store_.pin_is(trial_pin());
  until_unix_ms_ = now_unix_ms() + static_cast<std::uint64_t>(std::chrono::milliseconds(within).count());
  wait(within);
  told_("begun", fmt::format("a reload is on trial: policy {} is put back in {} s unless it is confirmed",
                             before_, within.count()));
}

auto PolicyHistory::confirm() -> tl::expected<void, std::string> {
  if (phase_ != Phase::on_trial) {
    return tl::unexpected(std::string{phase_ == Phase::taking_back
                                          ? "it is too late: the policy before is being put back"
                                          : "no reload is on trial"});
  }
  // The trial's own policy, where it is one of the history's; the configuration is started else.
  if (auto why = keep_pin(pin_of(is_of_history_ ? runs_ : std::nullopt)); !why.empty()) {
    return tl::unexpected(std::move(why));
  }
  phase_ = Phase::settled;
  timer_.cancel();
  before_reading_.reset();
  told_("confirmed", "the reload that was on trial is confirmed");
  return {};
}

auto PolicyHistory::keep_pin(std::optional<history::Pin> pin) -> std::string {
  const auto written = store_.set_pin(pin);
  if (written) {
    return "";
  }
  auto why = "what is started after a restart cannot be kept: " + written.error();
  spdlog::error("{}", why);
  return why;
}

// A timer that has run out already cannot be cancelled any more: what it was for may be over.
void PolicyHistory::wait(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && (phase_ == Phase::on_trial || phase_ == Phase::taking_back)) {
      take_back_();
    }
  });
}

auto PolicyHistory::show() const -> serve::History {
  const auto& pin = store_.pin();
  return {.entries = store_.entries(),
          .directory = store_.directory(),
          .configuration = config_,
          .runs = runs_,
          .why_none = runs_ ? "" : why_none_,
          .pinned = pin ? std::optional(pin->policy) : std::nullopt,
          .confirm_until_unix_ms = phase_ == Phase::on_trial ? std::optional(until_unix_ms_) : std::nullopt,
          .is_taken_back = phase_ == Phase::taking_back,
          .why_not_back = phase_ == Phase::taking_back ? why_not_back_ : ""};
}

}  // namespace sekisho::reconcile
