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
      store_(history::Store::open(state_directory / "history")) {}

auto PolicyHistory::configuration() const -> Source {
  return {.config = config_,
          .copy = CopyOrder{.directory = store_.directory(), .newest = store_.newest_root()}};
}

auto PolicyHistory::source_of(std::uint64_t policy) const -> tl::expected<Source, std::string> {
  const auto* entry = store_.find(policy);
  if (entry == nullptr) {
    return tl::unexpected(fmt::format("policy {} is not in the history: `sekisho history` lists it", policy));
  }
  const auto root = store_.root(policy);
  return Source{.config = history::beneath(root, entry->files.front()), .root = root, .policy = policy};
}

auto PolicyHistory::source_that_runs() const -> Source {
  return runs_from_history_ && runs_ ? source_of(*runs_).value_or(configuration()) : configuration();
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
    keep_pin(pin_of(pinned->policy));
  } else {
    spdlog::warn("policy {} of the history is started instead of {}: `sekisho reload` ends that",
                 pinned->policy, config_.native());
  }
  return *source_of(pinned->policy);
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

auto PolicyHistory::rehearsed(const serve::Rehearsal& what) const -> tl::expected<Source, std::string> {
  if (what.policy) {
    return number_of(*what.policy).and_then([&](std::uint64_t number) { return source_of(number); });
  }
  return Source{.config = what.config.empty() ? config_ : what.config};
}

// Why there must be no reload now; empty: there may.
auto PolicyHistory::why_not_now(const serve::ReloadOrder& order) const -> std::string {
  const bool goes_back = order.policy == 0U && !order.confirm_within;
  switch (phase_) {
    case Phase::taking_back:
      return goes_back ? "" : fmt::format("policy {} is being put back", before_);
    case Phase::on_trial:
      return goes_back ? ""
                       : "what was reloaded before is on trial: `sekisho confirm` keeps it, `sekisho "
                         "rollback` takes "
                         "it back";
    case Phase::beginning:
      return "a reload on trial is under way";
    case Phase::settled:
      break;
  }
  if (!order.confirm_within) {
    return "";
  }
  if (under_way_ != 0) {
    return "another reload is under way";
  }
  return runs_ ? "" : "the policy that runs has no copy that could be put back: " + why_none_;
}

auto PolicyHistory::begin(const serve::ReloadOrder& order) -> tl::expected<Source, std::string> {
  if (auto why = why_not_now(order); !why.empty()) {
    return tl::unexpected(std::move(why));
  }
  const bool is_taken_back = phase_ != Phase::settled;
  auto source =
      is_taken_back ? source_of(before_)
      : order.policy
          ? number_of(*order.policy).and_then([&](std::uint64_t number) { return source_of(number); })
          : configuration();
  if (!source) {
    return source;
  }
  if (is_taken_back) {
    phase_ = Phase::taking_back;
    timer_.cancel();
  } else if (order.confirm_within) {
    phase_ = Phase::beginning;
    before_ = *runs_;
    pin_before_ = store_.pin();
    is_of_history_ = order.policy.has_value();
    source->pin = PinOrder{.directory = store_.directory(), .pin = trial_pin()};
  }
  ++under_way_;
  return source;
}

auto PolicyHistory::trial_pin() const -> history::Pin {
  return {.policy = before_, .is_trial = true};
}

void PolicyHistory::ran(const serve::Sources& sources, std::string cause) {
  runs_.reset();
  runs_from_history_ = sources.policy.has_value();
  if (sources.policy) {
    runs_ = sources.policy;
  } else if (sources.copy == nullptr) {
    why_none_ = sources.not_copied;
  } else {
    const auto spared = phase_ == Phase::settled ? std::nullopt : std::optional{before_};
    auto kept = store_.keep(*sources.copy, std::move(cause), sources.read_unix_ms, spared);
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
  if (phase_ == Phase::taking_back) {
    end_taking_back(result.has_value());
  } else if (order.confirm_within) {
    end_beginning(*order.confirm_within, result.has_value());
  } else if (result) {
    pin(order.policy ? runs_ : std::nullopt);
  }
  if (!result) {
    return;
  }
  result->policy = runs_;
  if (!runs_) {
    result->warnings.push_back("the policy is not in the history: " + why_none_);
  }
  if (phase_ == Phase::on_trial) {
    result->confirm_until_unix_ms = until_unix_ms_;
  }
}

void PolicyHistory::end_taking_back(bool is_back) {
  if (!is_back) {
    spdlog::error("policy {} is not put back yet: that is tried again", before_);
    wait(pause_between_attempts);
    return;
  }
  phase_ = Phase::settled;
  pin(before_);
  told_("taken back", fmt::format("what was reloaded on trial is taken back: policy {} runs again", before_));
}

void PolicyHistory::end_beginning(std::chrono::seconds within, bool runs) {
  if (!runs) {
    phase_ = Phase::settled;
    keep_pin(pin_before_);
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
  const auto pinned = is_of_history_ ? runs_ : std::nullopt;
  if (auto written = store_.set_pin(pin_of(pinned)); !written) {
    return written;
  }
  phase_ = Phase::settled;
  timer_.cancel();
  told_("confirmed", "the reload that was on trial is confirmed");
  return {};
}

void PolicyHistory::pin(std::optional<std::uint64_t> policy) {
  if (const auto wanted = pin_of(policy); wanted != store_.pin()) {
    keep_pin(wanted);
  }
}

void PolicyHistory::keep_pin(std::optional<history::Pin> pin) {
  if (const auto written = store_.set_pin(pin); !written) {
    spdlog::error("what is started after a restart: {}", written.error());
  }
}

void PolicyHistory::wait(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
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
          .confirm_until_unix_ms = phase_ == Phase::on_trial ? std::optional(until_unix_ms_) : std::nullopt};
}

}  // namespace sekisho::reconcile
