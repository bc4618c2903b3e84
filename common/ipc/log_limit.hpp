// SPDX-License-Identifier: BSD-3-Clause
// Keeps a log from being filled by one thing that happens again and again (a port that flaps): of the lines of one kind the
// first are written as they come, then one every few seconds, which says how many more there were. It is always the last one
// that is written, so that the log never ends with a state that is no more. Pure: the time is an argument.
#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::ipc {

class LogLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr unsigned burst = 20;
  static constexpr std::chrono::seconds between{5};
  static constexpr std::size_t most_kinds = 1000;  // beyond them what is new is one kind

  struct Line {
    spdlog::level::level_enum level = spdlog::level::info;
    spdlog::log_clock::time_point time;
    std::string_view text;
  };
  struct Held {
    spdlog::level::level_enum level = spdlog::level::info;
    spdlog::log_clock::time_point time;
    std::string text;  // with "(N more like this)" if there were
  };

  // True: it may be written at once. False: it is held, in the place of the one of its kind that was.
  [[nodiscard]] bool admit(const Line& line, Time now);
  // What was held and may be written now, by time.
  [[nodiscard]] std::vector<Held> take_due(Time now);
  [[nodiscard]] std::vector<Held> take_all();
  [[nodiscard]] bool holds_any() const noexcept { return holding_ != 0; }

 private:
  struct Kind {
    double tokens = burst;
    Time since;
    Held last;
    std::size_t held = 0;
    void refill(Time now);
  };

  Kind& kind_of(const Line& line, Time now);
  [[nodiscard]] Held release(Kind& kind);

  std::map<std::string, Kind, std::less<>> kinds_;
  std::size_t holding_ = 0;  // kinds
};

}  // namespace sekisho::ipc
