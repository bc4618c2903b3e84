// SPDX-License-Identifier: BSD-3-Clause
// One table with one traffic: who was how fast, and what the project demands of itself there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lpm/interleave.hpp"
#include "bench/statistics.hpp"

namespace sekisho::bench {

struct Measurement {
  std::string engine;
  std::string variant;                   // the way of looking up that was fastest; empty where there is one
  Quartiles rate;                        // lookups a second
  std::map<std::string, double> events;  // a lookup, by name
};

struct Ratio {
  std::string against;  // the fastest of the others
  Quartiles of;         // of the rounds' ratios
};

struct Cell {
  std::string group;  // "lpm", "lpm-bulk", "lpm-thrash"
  std::string table;
  std::string traffic;
  unsigned bulk = 64;
  std::vector<Measurement> measurements;
  std::optional<Ratio> ratio;  // where sekisho and another were measured

  [[nodiscard]] std::string name(std::string_view engine) const;  // lpm/sekisho/nva/random
};

[[nodiscard]] auto compare(const std::vector<std::string>& engines, const Rates& rates)
    -> std::optional<Ratio>;

// The least ratio of sekisho to the fastest other engine that holds the whole table, bulk 64, no thrashing.
[[nodiscard]] double target(std::string_view table, std::string_view traffic);
inline constexpr double tolerance = 0.15;  // a cell that misses its target by more fails the whole
inline constexpr unsigned allowed_misses = 2;

}  // namespace sekisho::bench
