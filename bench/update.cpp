// SPDX-License-Identifier: BSD-3-Clause
// Changes of a live table of a whole Internet: how many a second, how soon a reader sees one, and what a change
// costs that covers everything. rte_fib takes one change a call; ours takes transactions, here of several sizes.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "bench/changes.hpp"
#include "bench/demand.hpp"
#include "bench/environment.hpp"
#include "bench/reference_fib.hpp"
#include "bench/require.hpp"
#include "bench/stopwatch.hpp"
#include "bench/tables.hpp"
#include "common/base/prefix.hpp"
#include "tests/unit/fib/tables.hpp"

using namespace sekisho;

namespace {

constexpr std::size_t random_count = 100'000;
constexpr double most_seconds_to_reader = 1e-3;
constexpr double most_seconds_for_half = 10e-3;
constexpr base::Prefix lower_half{.address = 0, .length = 1};

const bench::Table& full() {
  static const auto table = bench::make_table("full").value();
  return table;
}

// The full table, loaded once; every benchmark leaves it as it was.
struct Sekisho {
  fib::Qsbr qsbr{1};
  std::unique_ptr<fib::Fib> table = fib::Fib::create(qsbr).value();

  Sekisho() { bench::require(table->apply(full().routes)); }
  void apply(std::span<const fib::Route> changes) {
    bench::require(table->apply(changes));
    qsbr.poll();
  }
  static Sekisho& get() {
    static Sekisho sekisho;
    return sekisho;
  }
};

struct Reference {
  bench::RteFib table = bench::create_rte_fib(full(), 2).value();

  Reference() { bench::require(bench::insert(*table, full().routes)); }
  void apply(std::span<const fib::Route> changes) {
    for (const auto& [prefix, next_hop] : changes) {
      next_hop == fib::no_route
          ? rte_fib_delete(table.get(), prefix.address, prefix.length)  // absent in a trace at times
          : rte_fib_add(table.get(), prefix.address, prefix.length, next_hop);
    }
  }
  static Reference& get() {
    if (!only) {
      only = std::make_unique<Reference>();
    }
    return *only;
  }
  inline static std::unique_ptr<Reference> only;
};

template <typename Engine>
void replay(benchmark::State& state, Engine& engine, const bench::Changes& sequence) {
  const std::span changes{sequence.changes};
  for (auto _ : state) {
    const bench::Stopwatch watch;
    std::size_t begin = 0;
    for (const auto end : sequence.batches) {
      engine.apply(changes.subspan(begin, end - begin));
      begin = end;
    }
    state.SetIterationTime(watch.seconds());
    engine.apply(sequence.restoration);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(changes.size()));
}

// Until another thread that does nothing but look up has seen it.
void until_seen(benchmark::State& state) {
  const auto cpu = bench::other_cpu();
  if (!cpu) {
    return state.SkipWithError("a reader needs a second CPU");
  }
  auto& [qsbr, table] = Sekisho::get();
  constexpr base::Prefix override_prefix{.address = 0x147663e0, .length = 32};  // 20.118.99.224/32
  constexpr fib::Value override_next_hop = 17;                                  // no other route has it
  std::atomic<bool> seen = false;
  std::atomic<bool> ready = false;
  for (auto _ : state) {
    seen = ready = false;
    const std::jthread reader{[&] {
      bench::pin_to(*cpu);
      ready = true;
      while (table->lookup(override_prefix.address) != override_next_hop) {
      }
      seen = true;
    }};
    while (!ready) {
    }
    const bench::Stopwatch watch;
    bench::require(
        table->apply(std::array{fib::Route{.prefix = override_prefix, .value = override_next_hop}}));
    while (!seen) {
    }
    state.SetIterationTime(watch.seconds());
    Sekisho::get().apply(std::array{fib::Route{.prefix = override_prefix, .value = fib::no_route}});
  }
}

template <typename Engine>
void replace_half(benchmark::State& state, Engine& engine) {
  fib::Value next_hop = 1;
  engine.apply(std::array{fib::Route{.prefix = lower_half, .value = next_hop}});
  for (auto _ : state) {
    next_hop ^= 3;
    const bench::Stopwatch watch;
    engine.apply(std::array{fib::Route{.prefix = lower_half, .value = next_hop}});
    state.SetIterationTime(watch.seconds());
  }
  engine.apply(std::array{fib::Route{.prefix = lower_half, .value = fib::no_route}});
}

std::vector<bench::NoSlower> add_random() {
  std::vector<bench::NoSlower> comparisons;
  bench::add("update/rte_fib_2B/random", [](auto& state) {
    replay(state, Reference::get(), bench::random_changes(full(), random_count, 1));
  })->Iterations(1);
  for (const std::size_t batch : {1, 100, 10'000}) {
    const auto name = fmt::format("update/sekisho/batch-{}", batch);
    bench::add(name, [size = batch](auto& state) {
      replay(state, Sekisho::get(), bench::random_changes(full(), random_count, size));
    })->Iterations(1);
    comparisons.push_back({.benchmark = name, .than = "update/rte_fib_2B/random"});
  }
  return comparisons;
}

std::vector<bench::NoSlower> add_traces() {
  std::vector<bench::NoSlower> comparisons;
  struct Trace {
    const char* name;
    const char* file;
  };
  for (const auto& trace : {Trace{"trace-2013", "updates/gobgpdump-arch0.v4.tsv.gz"},
                            Trace{"trace-2016", "updates/updates.20160811.1600.v4.tsv.gz"}}) {
    const auto file = fib::testing::find_data(trace.file);
    if (!file) {
      fmt::print("update: {} is not there; $SEKISHO_DATA names the folder of real data\n", trace.file);
      continue;
    }
    const auto with = [file = *file](auto engine) {
      return [file, engine](auto& state) {
        const auto changes = bench::read_trace(file, full());
        changes ? replay(state, engine(), *changes) : state.SkipWithError(changes.error().c_str());
      };
    };
    const auto own = fmt::format("update/sekisho/{}", trace.name);
    const auto other = fmt::format("update/rte_fib_2B/{}", trace.name);
    bench::add(own, with([]() -> auto& { return Sekisho::get(); }))->Iterations(1);
    bench::add(other, with([]() -> auto& { return Reference::get(); }))->Iterations(1);
    comparisons.push_back({.benchmark = own, .than = other});
  }
  return comparisons;
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Environment environment;
  auto comparisons = add_random();
  for (auto& comparison : add_traces()) {
    comparisons.push_back(std::move(comparison));
  }
  bench::add("update/sekisho/seen-by-reader", until_seen)->Iterations(100);
  bench::add("update/sekisho/half", [](auto& state) { replace_half(state, Sekisho::get()); })->Iterations(10);
  bench::add("update/rte_fib_2B/half", [](auto& state) {
    replace_half(state, Reference::get());
  })->Iterations(10);
  const int result = bench::run(
      argc, argv,
      {.limits = {{.benchmark = "update/sekisho/seen-by-reader", .seconds = most_seconds_to_reader},
                  {.benchmark = "update/sekisho/half", .seconds = most_seconds_for_half}},
       .comparisons = comparisons});
  Reference::only.reset();  // before DPDK's memory goes
  return result;
} catch (const std::exception& error) {
  fmt::print(stderr, "update: {}\n", error.what());
  return 1;
}
