// SPDX-License-Identifier: BSD-3-Clause
// Whether routes that went from the kernel are believed to be gone. Pure.
//
// The problem: a routing daemon that dies takes its routes along, and one that is restarted has none until its peers have told
// them again. Traffic that was forwarded well would be dropped in between, though no peer has withdrawn anything. But a
// withdrawal that is not believed sends traffic into a hole. So it is asked why a route went:
//
//   the daemons run, and are those that ran before    a withdrawal: believed a tenth of a second after it was heard, and half a
//                                                     second where most of the routes went: a daemon that is being stopped
//                                                     withdraws while it still runs
//   one of them is gone, or has just been started     held: until the kernel has the routes again, until the daemon has heard
//                                                     from all its peers and has no more routes than the kernel, or for learned_hold
//                                                     since the first of them went. One that has been gone for ten minutes was
//                                                     stopped for good, and is not waited for
//   no daemon is known (not FRR)                      held where more than half of at least ten went within a second
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sekisho::learn {

enum class Health : std::uint8_t { unknown, well, gone };

class Hold {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  enum class Verdict : std::uint8_t { wait, forget, hold };

  explicit Hold(std::chrono::milliseconds hold) : hold_(hold) {}

  // Routes have vanished, of so many.
  void on_vanished(std::size_t all, Time now);
  // What becomes of those that have; `wait`: ask again at wakes_at().
  [[nodiscard]] auto judge(std::size_t vanished, Health health, Time now) -> Verdict;
  // Whether what is held has been held long enough.
  [[nodiscard]] bool is_over(Time now) const { return held_since_ && now >= *held_since_ + hold_; }
  void on_released() { held_since_.reset(); }

  [[nodiscard]] auto wakes_at() const -> std::optional<Time>;
  [[nodiscard]] auto held_since() const noexcept { return held_since_; }

 private:
  static constexpr std::chrono::milliseconds settling{100};
  static constexpr std::chrono::milliseconds second_look{500};
  static constexpr std::chrono::milliseconds window{1000};
  static constexpr std::size_t few = 10;

  std::chrono::milliseconds hold_;
  std::optional<Time> first_;  // of those that are not judged yet
  std::optional<Time> due_;
  Time window_began_{};
  std::size_t window_all_ = 0;   // that there were when the window began
  std::size_t window_went_ = 0;  // that have been forgotten since
  std::optional<Time> held_since_;
};

}  // namespace sekisho::learn
