// SPDX-License-Identifier: BSD-3-Clause
// Measured cells as a table for people and as JSON for tools.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/lpm/cell.hpp"

namespace sekisho::bench {

// What was measured, and what disturbed it.
struct Context {
  std::map<std::string, std::string> tables;                            // where the prefixes come from
  std::map<std::string, std::map<std::string, std::string>> not_timed;  // why, by table and engine
  std::string counters;                                                 // why the CPU's are not there
  std::string thrash;                                                   // why lpm-thrash did not run
  long preemptions = 0;
  double steal_percent = 0;
};

void print(const Context& context, const std::vector<Cell>& cells);

// In the shape of Google Benchmark's --benchmark_format=json, so that its tools read it.
void write_json(const std::filesystem::path& file, const Context& context, const std::vector<Cell>& cells);

}  // namespace sekisho::bench
