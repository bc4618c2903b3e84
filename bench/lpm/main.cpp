// SPDX-License-Identifier: BSD-3-Clause
// Lookups a second of our table and of DPDK's, on the tables and destinations that an appliance meets.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "bench/environment.hpp"
#include "bench/lpm/benchmark.hpp"
#include "bench/lpm/report.hpp"

using namespace sekisho;

int main(int argc, char** argv) {
  bench::Options options;
  bool list = false;
  std::string json;
  CLI::App app{"Lookups a second of Sekisho's table, rte_fib and rte_lpm, in turns on one core."};
  app.add_option("filter", options.filters,
                 "What to run: regular expressions, each matched at the start of names like "
                 "lpm/sekisho/nva/random; all without")
      ->type_name("FILTER");
  app.add_flag("--list", list, "Print the names and measure nothing");
  app.add_flag("--quick", options.quick, "Fewer and shorter rounds");
  app.add_flag("--full", options.slow_loads, "Also rte_lpm with the full table, which takes minutes to load");
  app.add_option("--json", json, "Also write the results here")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a run takes minutes: also a log shows how far it is
  try {
    if (list) {
      for (const auto& name : bench::names(options)) {
        fmt::print("{}\n", name);
      }
      return 0;
    }
    const bench::Environment environment;
    bench::Benchmark benchmark{options};
    benchmark.run();
    bench::print(benchmark.context(), benchmark.cells());
    if (!json.empty()) {
      bench::write_json(json, benchmark.context(), benchmark.cells());
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "lpm: {}\n", error.what());
    return 1;
  }
}
