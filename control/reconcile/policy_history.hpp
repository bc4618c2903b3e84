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
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "control/history/store.hpp"
#include "control/reconcile/reading.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

// What is taken back is the policy that ran, in memory: to read its files again, names and hooks among them, could fail for the very reason
// that it is taken back for.
//
// On one thread, the loop's. `take_back` is called when the time is over: it is to reload policy 0.
class PolicyHistory {
 public:
  using Told = std::function<void(std::string_view outcome, std::string sentence)>;

  PolicyHistory(boost::asio::io_context& io, std::filesystem::path config,
                const std::filesystem::path& state_directory, std::function<void()> take_back, Told told);

  // Once no other control can be using it.
  void open();
  // What control begins with: the configuration, or the policy that is pinned.
  [[nodiscard]] auto source_at_start() -> Source;
  [[nodiscard]] auto configuration(std::string cause = "start") const
      -> Source;  // with a copy for the history
  // What a restart would begin with.
  [[nodiscard]] auto source_that_starts() const -> Source;

  // Where a reload begins; or why there must be none now. `running` is asked for what runs.
  [[nodiscard]] auto begin(const serve::ReloadOrder& order, const std::function<Reading()>& running)
      -> tl::expected<std::variant<Source, Reading>, std::string>;
  // Whether the file is the history's own.
  [[nodiscard]] auto holds(const std::filesystem::path& file) const -> bool;
  // A policy runs that was read from these.
  void ran(const serve::Sources& sources);
  // An override, or what is learned, has made another policy of the one that runs.
  void overridden(const std::function<Reading()>& running);
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
  [[nodiscard]] auto goes_back(const serve::ReloadOrder& order) const -> bool;
  [[nodiscard]] auto source_for(const serve::ReloadOrder& order) const -> tl::expected<Source, std::string>;
  void end_taking_back(const std::string& why_not);
  void end_beginning(std::chrono::seconds within, bool runs);
  [[nodiscard]] auto keep_pin(std::optional<history::Pin> pin) -> std::string;  // why not
  void wait(std::chrono::milliseconds pause);

  boost::asio::steady_timer timer_;
  std::filesystem::path config_;
  std::function<void()> take_back_;
  Told told_;
  history::Store store_;
  Phase phase_ = Phase::settled;
  std::size_t under_way_ = 0;               // reloads
  std::optional<Reading> before_reading_;   // that ran
  std::string why_not_back_;                // the last attempt to put it back
  std::uint64_t before_ = 0;                // the policy that ran before the trial
  std::optional<history::Pin> pin_before_;  // the trial
  bool is_of_history_ = false;              // what is on trial
  std::optional<std::uint64_t> runs_;
  std::string why_none_ = "it was never read";
  std::uint64_t until_unix_ms_ = 0;
};

}  // namespace sekisho::reconcile
