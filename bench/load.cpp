// SPDX-License-Identifier: BSD-3-Clause
// Reading route files: text from memory, a gzipped MRT dump, service tags; from a file of a whole Internet's routes to the
// last live entry; and insertion alone, in four orders, against rte_fib. Ours is one transaction, as control sends it; rte_fib knows single routes only. Creating an empty table
// is not counted, which spares rte_fib the building of its node pool.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/demand.hpp"
#include "bench/environment.hpp"
#include "bench/reference_fib.hpp"
#include "bench/route_files.hpp"
#include "bench/stopwatch.hpp"
#include "bench/tables.hpp"
#include "common/base/file.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/text.hpp"

using namespace sekisho;

namespace {

constexpr double most_seconds_from_text = 0.5;
constexpr double least_text_lines_a_second = 10e6;
constexpr double most_seconds_of_mrt = 3;
constexpr double most_seconds_of_service_tags = 1;

const bench::Table& full() {
  static const auto table = bench::make_table("full").value();
  return table;
}

// The full table as a route file, while the program runs.
const bench::RouteFile& text_file() {
  static const auto file = bench::write_text(full());
  return *file;
}

void parse_text(benchmark::State& state) {
  const auto text = base::read_file(text_file().path()).value();
  for (auto _ : state) {
    const bench::Stopwatch watch;
    const auto routes = formats::parse_text(text, text_file().path());
    state.SetIterationTime(watch.seconds());
    if (!routes || routes->routes.size() != full().routes.size()) {
      return state.SkipWithError("routes are missing");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(full().routes.size()));
}

void read_mrt(benchmark::State& state) {
  static const auto file = bench::write_mrt(full());
  for (auto _ : state) {
    const bench::Stopwatch watch;
    const auto routes = formats::read_routes(file->path());
    state.SetIterationTime(watch.seconds());
    if (!routes) {
      return state.SkipWithError(routes.error().to_string().c_str());
    }
    if (routes->routes.size() != full().routes.size()) {
      return state.SkipWithError("routes are missing");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(full().routes.size()));
}

// To the last live entry. `expected`: how many different prefixes; 0: at least one.
void load_file(benchmark::State& state, const std::filesystem::path& file, std::size_t expected) {
  std::size_t count = 0;
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr).value();
    const bench::Stopwatch watch;
    const auto read = formats::read_routes(file);
    if (!read) {
      return state.SkipWithError(read.error().to_string().c_str());
    }
    std::vector<fib::Route> routes(read->routes.size());
    std::transform(read->routes.begin(), read->routes.end(), routes.begin(), [](const auto& route) {
      return fib::Route{.prefix = route.prefix, .value = static_cast<fib::Value>(route.next_hop + 1)};
    });
    if (const auto applied = table->apply(routes); !applied) {
      return state.SkipWithError(applied.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
    if (table->size() == 0 || (expected != 0 && table->size() != expected)) {
      return state.SkipWithError("routes are missing");
    }
    count = routes.size();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void load_text(benchmark::State& state) {
  load_file(state, text_file().path(), full().routes.size());
}

void load_service_tags(benchmark::State& state) {
  static const auto file = bench::find_service_tags();
  state.SetLabel(file->path().filename().string());
  load_file(state, file->path(), 0);
}

void insert_sekisho(benchmark::State& state, const std::vector<fib::Route>& routes) {
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr).value();
    const bench::Stopwatch watch;
    if (const auto applied = table->apply(routes); !applied) {
      return state.SkipWithError(applied.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(routes.size()));
}

void insert_rte_fib(benchmark::State& state, const std::vector<fib::Route>& routes) {
  for (auto _ : state) {
    const auto table = bench::create_rte_fib(full(), 2);
    if (!table) {
      return state.SkipWithError(table.error().c_str());
    }
    const bench::Stopwatch watch;
    if (const auto inserted = bench::insert(**table, routes); !inserted) {
      return state.SkipWithError(inserted.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(routes.size()));
}

// As a file may have them. The halves cover everything: last, they meet a table that is full.
auto make_order(const std::string& name) -> std::vector<fib::Route> {
  auto routes = full().routes;
  if (name == "shuffled") {
    std::shuffle(routes.begin(), routes.end(), std::mt19937_64{5});
  } else if (name == "long-first") {
    std::stable_sort(routes.begin(), routes.end(),
                     [](const auto& a, const auto& b) { return a.prefix.length > b.prefix.length; });
  } else if (name == "halves-last") {
    routes.push_back({.prefix = {.address = 0, .length = 1}, .value = 1});
    routes.push_back({.prefix = {.address = 0x80000000, .length = 1}, .value = 2});
  }
  return routes;
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Environment environment;
  bench::add("load/text", parse_text)->Iterations(1);
  bench::add("load/mrt", read_mrt)->Iterations(1);
  bench::add("load/service_tags", load_service_tags)->Iterations(1);
  bench::add("load/sekisho/text", load_text)->Iterations(1);
  std::vector<bench::NoSlower> comparisons;
  for (const std::string order : {"sorted", "shuffled", "long-first", "halves-last"}) {
    // Made when first run: a filter may want none of them.
    const auto with = [order](auto insert) {
      return [order, insert](benchmark::State& state) { insert(state, make_order(order)); };
    };
    bench::add("load/sekisho/" + order, with(insert_sekisho))->Iterations(1);
    bench::add("load/rte_fib_2B/" + order, with(insert_rte_fib))->Iterations(1);
    comparisons.push_back({.benchmark = "load/sekisho/" + order, .than = "load/rte_fib_2B/" + order});
  }
  const double text_seconds = static_cast<double>(full().routes.size()) / least_text_lines_a_second;
  return bench::run(argc, argv,
                    {.limits = {{.benchmark = "load/text", .seconds = text_seconds},
                                {.benchmark = "load/mrt", .seconds = most_seconds_of_mrt},
                                {.benchmark = "load/service_tags", .seconds = most_seconds_of_service_tags},
                                {.benchmark = "load/sekisho/text", .seconds = most_seconds_from_text}},
                     .comparisons = comparisons});
} catch (const std::exception& error) {
  fmt::print(stderr, "load: {}\n", error.what());
  return 1;
}
