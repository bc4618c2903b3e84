// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/benchmark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>

#include "bench/environment.hpp"
#include "bench/lpm/engine.hpp"
#include "bench/lpm/interleave.hpp"
#include "bench/lpm/thrash.hpp"
#include "bench/lpm/traffic.hpp"
#include "common/base/prefix.hpp"

namespace sekisho::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned usual_bulk = 64;
constexpr std::array bulk_sizes{1U, 8U, 32U, 64U, 256U};

bool any_engine(const Filter& filter, const Cell& cell) {
  return std::any_of(std::begin(engine_names), std::end(engine_names),
                     [&](auto engine) { return filter(cell.name(engine)); });
}

// The cells of a table in which some engine was asked for.
auto plan(const Filter& filter, const std::string& table) -> std::vector<Cell> {
  std::vector<Cell> planned;
  const auto add = [&](const char* group, std::string_view traffic, unsigned bulk) {
    Cell cell{.group = group, .table = table, .traffic = std::string{traffic}, .bulk = bulk};
    if (any_engine(filter, cell)) {
      planned.push_back(std::move(cell));
    }
  };
  for (const auto traffic : traffic_names) {
    add("lpm", traffic, usual_bulk);
    for (const auto bulk : bulk_sizes) {
      add("lpm-bulk", traffic, bulk);
    }
    add("lpm-thrash", traffic, usual_bulk);
  }
  return planned;
}

// The cells that targets are for get the most of the time.
Plan rounds_of(const Cell& cell, bool quick) {
  const unsigned rounds = cell.group == "lpm"        ? (quick ? 11 : 41)
                          : cell.group == "lpm-bulk" ? (quick ? 3 : 11)
                                                     : (quick ? 5 : 21);
  return {.rounds = rounds, .bulk = cell.bulk, .warm_up = quick ? 5ms : 10ms, .timed = quick ? 8ms : 15ms};
}

Plan trial_of(const Cell& cell, bool quick) {
  return {.rounds = quick ? 2U : 3U, .bulk = cell.bulk, .warm_up = 3ms, .timed = quick ? 4ms : 8ms};
}

}  // namespace

auto names(const Options& options) -> std::vector<std::string> {
  const Filter filter{options.filters};
  std::vector<std::string> names;
  for (const auto table : table_names) {
    for (const auto& cell : plan(filter, std::string{table})) {
      for (const auto engine : engine_names) {
        if (filter(cell.name(engine))) {
          names.push_back(cell.name(engine));
        }
      }
    }
  }
  return names;
}

void Benchmark::run() {
  context_.counters = counters_.missing();
  const Noise noise;
  for (const auto table : table_names) {
    const std::string name{table};
    if (const auto planned = plan(filter_, name); !planned.empty()) {
      run_table(name, planned);
    }
  }
  context_.preemptions = noise.preemptions();
  context_.steal_percent = noise.steal_percent();
}

void Benchmark::run_table(const std::string& name, const std::vector<Cell>& planned) {
  const auto table = make_table(name);
  if (!table) {
    throw std::runtime_error{table.error()};
  }
  context_.tables[name] =
      fmt::format("{} prefixes ({}), {} next hops, {} extension tables", table->routes.size(), table->source,
                  table->highest_next_hop(), table->extended_blocks());
  fmt::print("{}: {}\n", name, context_.tables[name]);
  auto contenders = make_contenders(*table, planned);
  std::map<std::string, std::vector<std::uint32_t>> traffic;
  for (const auto& cell : planned) {
    auto& addresses = traffic[cell.traffic];
    if (addresses.empty()) {
      addresses = make_traffic(cell.traffic, *table);
      verify(contenders, name, addresses);
    }
  }
  for (const auto& cell : planned) {
    measure(contenders, cell, traffic.at(cell.traffic));
  }
}

void Benchmark::not_timed(const std::string& table, std::string_view engine, std::string reason) {
  fmt::print("  {} is not timed: {}\n", engine, reason);
  context_.not_timed[table][std::string{engine}] = std::move(reason);
}

auto Benchmark::make_contenders(const Table& table, const std::vector<Cell>& planned)
    -> std::vector<Contender> {
  std::vector<Contender> contenders;
  for (const auto engine : engine_names) {
    if (std::none_of(planned.begin(), planned.end(),
                     [&](const auto& cell) { return filter_(cell.name(engine)); })) {
      continue;
    }
    // Each rte_lpm_add searches all rules of the same length.
    if (engine == "rte_lpm" && table.name.starts_with("full") &&
        !(options_.slow_loads && table.name == "full")) {
      not_timed(
          table.name, engine,
          "takes minutes to load; --full does so once, for `full` (its entries have 4 bytes however many "
          "next hops there are)");
      continue;
    }
    const auto before = HugeMemory::now();
    auto made = make_engine(engine, table);
    if (!made) {
      not_timed(table.name, engine, made.error());
      continue;
    }
    const auto after = HugeMemory::now();
    fmt::print("  {}: {} MB in reserved 2 MB pages, {} MB in transparent ones\n", engine,
               (after.explicit_bytes - before.explicit_bytes) >> 20,
               (after.transparent_bytes - before.transparent_bytes) >> 20);
    contenders.push_back({std::string{engine}, std::move(*made)});
  }
  return contenders;
}

// Nobody is timed who answers otherwise than the first, in any of its ways of looking up.
void Benchmark::verify(std::vector<Contender>& contenders, const std::string& table,
                       std::span<const std::uint32_t> addresses) {
  if (contenders.empty()) {
    return;
  }
  const auto expected = contenders.front().engine->answers(addresses);
  const auto first = contenders.front().name;
  const auto differs = [&](const std::string& name, Engine& engine) {
    const auto actual = engine.answers(addresses);
    const auto [wrong, right] = std::mismatch(actual.begin(), actual.end(), expected.begin());
    if (wrong == actual.end()) {
      return false;
    }
    const auto address = addresses[static_cast<std::size_t>(wrong - actual.begin())];
    not_timed(table, name,
              fmt::format("says next hop {} for {}, {} says {}", *wrong, base::address_to_string(address),
                          first, *right));
    return true;
  };
  std::erase_if(contenders, [&](const auto& contender) {
    for (std::size_t variant = 0; variant < contender.engine->variants().size(); ++variant) {
      contender.engine->select(variant);
      if (differs(contender.name, *contender.engine)) {
        return true;
      }
    }
    return false;
  });
}

void Benchmark::measure(std::vector<Contender>& contenders, Cell cell,
                        std::span<const std::uint32_t> addresses) {
  std::optional<Thrash> thrash;
  if (cell.group == "lpm-thrash") {
    const auto cpu = other_cpu();
    if (!cpu) {
      context_.thrash = "it needs a second CPU";
      return;
    }
    thrash.emplace(*cpu);
  }
  std::vector<Engine*> engines;
  std::vector<std::string> names;
  for (const auto& [name, engine] : contenders) {
    if (filter_(cell.name(name))) {
      auto variant = select_fastest(*engine, addresses, trial_of(cell, options_.quick));
      cell.measurements.push_back({.engine = name, .variant = std::move(variant), .rate = {}, .events = {}});
      engines.push_back(engine.get());
      names.push_back(name);
    }
  }
  const auto rates = interleave(engines, addresses, rounds_of(cell, options_.quick));
  for (std::size_t i = 0; i < engines.size(); ++i) {
    cell.measurements[i].rate = quartiles(rates[i]);
  }
  cell.ratio = compare(names, rates);
  count(cell, engines, addresses);
  cells_.push_back(std::move(cell));
}

// Apart from the timed rounds: reading counters is a system call.
void Benchmark::count(Cell& cell, std::span<Engine* const> engines,
                      std::span<const std::uint32_t> addresses) const {
  if (!counters_.missing().empty()) {
    return;
  }
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const auto run = [&] { engines[i]->run(addresses, cell.bulk); };
    run();
    cell.measurements[i].events = counters_.count(run, addresses.size());
  }
}

}  // namespace sekisho::bench
