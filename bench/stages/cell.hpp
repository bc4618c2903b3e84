// SPDX-License-Identifier: BSD-3-Clause
// Frames of one size to so many next hops, so many of them at a time: what a packet costs by each engine in each kind of pages.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "bench/environment.hpp"
#include "bench/stages/circuit.hpp"
#include "bench/stages/clock.hpp"
#include "bench/stages/engine.hpp"
#include "bench/statistics.hpp"
#include "dataplane/forward/burst.hpp"

namespace sekisho::bench {

struct Cell {
  unsigned frame_bytes = 0;
  unsigned next_hops = 0;
  unsigned burst = 0;  // packets that are received at once
  // TSC cycles a packet, a value for each round.
  std::array<std::array<std::vector<double>, engine_count>, page_kinds> cycles;
  std::array<std::array<std::vector<double>, stage_count>, page_kinds>
      stages;  // of the engine `clocked`; fill of `options`

  [[nodiscard]] std::string name() const {
    const auto full = fmt::format("stages/{}/{}", frame_bytes, next_hops);
    return burst == forward::burst_capacity ? full : fmt::format("{}/burst-{}", full, burst);
  }
};

// Of two that were measured in the same rounds: how many times as fast the first one is.
[[nodiscard]] Quartiles speed_ratio(const std::vector<double>& cycles, const std::vector<double>& than);

void print(const std::vector<Cell>& cells);
// In the shape of Google Benchmark's --benchmark_format=json. Throws std::runtime_error.
void write_json(const std::string& file, const std::vector<Cell>& cells, const Noise& noise);

}  // namespace sekisho::bench
