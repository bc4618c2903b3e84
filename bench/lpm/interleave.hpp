// SPDX-License-Identifier: BSD-3-Clause
// Engines measured in turns, in blocks of at most 50 ms, each round in another order.
//
// Google Benchmark runs one benchmark to its end before the next: on a machine that is shared, the first then
// meets another clock, cache and neighbour than the last, and ratios were off by a factor of two. In turns all
// engines meet the same, and each round gives a ratio of its own. What is written has Google Benchmark's shape.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/lpm/engine.hpp"

namespace sekisho::bench {

struct Plan {
  unsigned rounds;
  unsigned bulk;
  // A block begins with lookups that are not timed: the caches hold what the engine before has left there.
  std::chrono::microseconds warm_up;
  std::chrono::microseconds timed;
};

// Lookups a second: by engine, then by round.
using Rates = std::vector<std::vector<double>>;

[[nodiscard]] Rates interleave(std::span<Engine* const> engines, std::span<const std::uint32_t> addresses,
                               const Plan& plan);

// Selects the engine's fastest variant for these addresses; its name.
auto select_fastest(Engine& engine, std::span<const std::uint32_t> addresses, const Plan& plan)
    -> std::string;

}  // namespace sekisho::bench
