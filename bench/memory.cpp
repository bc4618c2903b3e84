// SPDX-License-Identifier: BSD-3-Clause
// What tables take, ours by its own account and rte_fib by DPDK's heap (its pool of nodes has room for two a
// route); and what happens when there is no extension table left.
#include <fmt/format.h>
#include <rte_malloc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/demand.hpp"
#include "bench/environment.hpp"
#include "bench/reference_fib.hpp"
#include "bench/require.hpp"
#include "bench/stopwatch.hpp"
#include "bench/tables.hpp"

using namespace sekisho;

namespace {

constexpr unsigned few_extension_tables = 1000;

auto megabytes(std::size_t bytes) {
  return benchmark::Counter{static_cast<double>(bytes) / (1 << 20)};
}

void measure_sekisho(benchmark::State& state, const std::string& name) {
  const auto routes = bench::make_table(name).value();
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr).value();
    const bench::Stopwatch watch;
    bench::require(table->apply(routes.routes));
    state.SetIterationTime(watch.seconds());
    const auto memory = table->memory();
    state.counters["table_MB"] = megabytes(memory.table_bytes);
    state.counters["prefixes_MB"] = megabytes(memory.shadow_bytes);
    state.counters["tbl8"] = memory.extension_tables;
    state.counters["tbl8_max"] = memory.max_extension_tables;
  }
}

std::size_t heap_bytes() {
  rte_malloc_socket_stats stats{};
  rte_malloc_get_socket_stats(0, &stats);
  return stats.heap_allocsz_bytes;
}

void measure_rte_fib(benchmark::State& state, const std::string& name, unsigned entry_bytes) {
  const auto routes = bench::make_table(name).value();
  for (auto _ : state) {
    const auto before = heap_bytes();
    const auto table = bench::create_rte_fib(routes, entry_bytes);
    if (!table) {
      state.SetLabel("cannot hold it: " + table.error());
      state.SetIterationTime(0);
      continue;
    }
    const bench::Stopwatch watch;
    bench::require(bench::insert(**table, routes.routes));
    state.SetIterationTime(watch.seconds());
    const std::size_t entries = (std::size_t{1} << 24) + std::size_t{256} * routes.extended_blocks();
    state.counters["table_MB"] = megabytes(entries * entry_bytes);
    state.counters["prefixes_MB"] = megabytes(heap_bytes() - before - entries * entry_bytes);
    state.counters["tbl8"] = routes.extended_blocks();
  }
}

auto host_routes(std::uint32_t count, fib::Value next_hop) -> std::vector<fib::Route> {
  std::vector<fib::Route> routes;
  for (std::uint32_t block = 0; block < count; ++block) {
    routes.push_back({.prefix = {.address = 0x0a000001 + (block << 8), .length = 32}, .value = next_hop});
  }
  return routes;
}

// Past the bound a transaction is refused whole; what was there stays; what is given back can be had again.
void refuse(benchmark::State& state) {
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr, {.max_extension_tables = few_extension_tables}).value();
    bench::require(table->apply(host_routes(few_extension_tables, 1)));
    auto more = host_routes(few_extension_tables + 1, 2);
    const bench::Stopwatch watch;
    const auto refused = table->apply(more);
    state.SetIterationTime(watch.seconds());
    if (refused || table->size() != few_extension_tables || table->lookup(more.front().prefix.address) != 1) {
      return state.SkipWithError("a transaction past the bound was not refused whole");
    }
    state.SetLabel(refused.error());
    bench::require(table->apply(host_routes(few_extension_tables, fib::no_route)));
    qsbr.synchronize();
    more.erase(more.begin());
    if (table->memory().extension_tables != 0 || !table->apply(more)) {
      return state.SkipWithError("extension tables were not given back");
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Environment environment;
  for (const auto view : bench::table_names) {
    const std::string name{view};
    bench::add("memory/sekisho/" + name, [name](auto& state) { measure_sekisho(state, name); })
        ->Iterations(1)
        ->Repetitions(1);
    for (const unsigned bytes : {1U, 2U, 4U}) {
      bench::add(fmt::format("memory/rte_fib_{}B/{}", bytes, name),
                 [name, bytes](auto& state) { measure_rte_fib(state, name, bytes); })
          ->Iterations(1)
          ->Repetitions(1);
    }
  }
  bench::add("memory/sekisho/refusal", refuse)->Iterations(1)->Repetitions(1);
  return bench::run(argc, argv, {});
} catch (const std::exception& error) {
  fmt::print(stderr, "memory: {}\n", error.what());
  return 1;
}
