// SPDX-License-Identifier: BSD-3-Clause
// Google Benchmark, with a table of its own: quartiles, and a verdict on what the project demands of itself.
//
// Run with --benchmark_enable_random_interleaving=true, so that what is compared meets the same machine.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

namespace sekisho::bench {

// The median of a benchmark's repetitions, by its name.
struct AtMost {
  std::string benchmark;
  double seconds = 0;
};
struct NoSlower {
  std::string benchmark;
  std::string than;
  double factor = 1;  // of that one's rate
};

struct Demands {
  std::vector<AtMost> limits;
  std::vector<NoSlower> comparisons;
};

// A benchmark that sets its own time (State::SetIterationTime) and whose quartiles are reported.
benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> body);

// Takes Google Benchmark's options. The exit code: 0, also when a demand is missed; 1 when a benchmark failed.
int run(int argc, char** argv, const Demands& demands);

}  // namespace sekisho::bench
