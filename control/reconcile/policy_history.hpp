// SPDX-License-Identifier: BSD-3-Clause
// Which of the policies that ran is in force, and the one that is on trial: it runs, and is taken back unless it is confirmed in time.
//
// A timer alone would not do: who has locked himself out restarts the machine, or somebody restarts sekisho-control. So before a policy on
// trial runs, the disk has it that the one before is to be started, and a confirmation takes that away.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/history/store.hpp"
#include "control/reconcile/reading.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

// On one thread, the loop's. `take_back` is called when the time is over: it is to ask for the policy before.
class PolicyHistory {
 public:
  using Told = std::function<void(std::string_view outcome, std::string sentence)>;

  PolicyHistory(boost::asio::io_context& io, std::filesystem::path config,
                const std::filesystem::path& state_directory, std::function<void()> take_back, Told told);

  // What control begins with: the configuration, or the policy that is pinned.
  [[nodiscard]] auto source_at_start() -> Source;
  [[nodiscard]] auto configuration() const -> Source;  // with a copy for the history
  // Which of the two what runs was read from.
  [[nodiscard]] auto source_that_runs() const -> Source;

  // What a reload is to read; or why there must be none now.
  [[nodiscard]] auto begin(const serve::ReloadOrder& order) -> tl::expected<Source, std::string>;
  // A policy runs that was read from these.
  void ran(const serve::Sources& sources, std::string cause);
  // What became of the reload that has begun.
  void end(const serve::ReloadOrder& order, tl::expected<serve::Reloaded, std::string>& result);
  [[nodiscard]] auto rehearsed(const serve::Rehearsal& what) const -> tl::expected<Source, std::string>;

  [[nodiscard]] auto confirm() -> tl::expected<void, std::string>;
  [[nodiscard]] auto show() const -> serve::History;

 private:
  enum class Phase : std::uint8_t {
    settled,
    beginning,  // a reload that will be on trial is under way
    on_trial,
    taking_back  // that is under way, or is tried again
  };

  [[nodiscard]] auto source_of(std::uint64_t policy) const -> tl::expected<Source, std::string>;
  [[nodiscard]] auto number_of(std::uint64_t wanted) const -> tl::expected<std::uint64_t, std::string>;
  [[nodiscard]] auto why_not_now(const serve::ReloadOrder& order) const -> std::string;
  [[nodiscard]] auto trial_pin() const -> history::Pin;
  void end_taking_back(bool is_back);
  void end_beginning(std::chrono::seconds within, bool runs);
  void pin(std::optional<std::uint64_t> policy);
  void keep_pin(std::optional<history::Pin> pin);
  void wait(std::chrono::milliseconds pause);

  boost::asio::steady_timer timer_;
  std::filesystem::path config_;
  std::function<void()> take_back_;
  Told told_;
  history::Store store_;
  Phase phase_ = Phase::settled;
  std::size_t under_way_ = 0;               // reloads
  std::uint64_t before_ = 0;                // the policy that ran before the trial
  std::optional<history::Pin> pin_before_;  // the trial
  bool is_of_history_ = false;              // what is on trial
  std::optional<std::uint64_t> runs_;
  bool runs_from_history_ = false;
  std::string why_none_ = "it was never read";
  std::uint64_t until_unix_ms_ = 0;
};

}  // namespace sekisho::reconcile
