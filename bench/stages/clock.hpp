// SPDX-License-Identifier: BSD-3-Clause
// A clock that is stopped at the end of each stage of a burst.
#pragma once

#include <rte_cycles.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sekisho::bench {

enum class Stage : std::uint8_t { receive, validate, admit, route, resolve, fill, rewrite, transmit };
inline constexpr std::string_view stage_names[] = {"receive", "validate", "admit",   "route",
                                                   "resolve", "fill",     "rewrite", "transmit"};
inline constexpr std::size_t stage_count = std::size(stage_names);

struct StageClock {
  std::uint64_t last = 0;
  std::array<std::uint64_t, stage_count> ticks{};

  void start() noexcept { last = rte_rdtsc(); }
  void stop(Stage stage) noexcept {
    const auto now = rte_rdtsc();
    ticks[static_cast<std::size_t>(stage)] += now - last;
    last = now;
  }
};

inline StageClock stage_clock;

}  // namespace sekisho::bench
