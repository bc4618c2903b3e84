// Lookups a second of our table and of DPDK's, on the tables and destinations that an appliance meets.
#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "bench/environment.hpp"
#include "bench/lpm/cell.hpp"
#include "bench/lpm/engine.hpp"
#include "bench/lpm/interleave.hpp"
#include "bench/lpm/report.hpp"
#include "bench/lpm/traffic.hpp"

namespace sekisho::bench {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> filters;
  bool quick = false;
  bool slow = false;
  bool list = false;
  std::string json;
};

class Benchmark {
 public:
  explicit Benchmark(Options options) : options_{std::move(options)} {
    for (const auto& filter : options_.filters) {
      filters_.emplace_back("^(?:" + filter + ")");
    }
  }

  void run() {
    for (const auto name : table_names) {
      run_table(std::string{name});
    }
  }
  [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }
  [[nodiscard]] const nlohmann::json& context() const { return context_; }

 private:
  struct Contender {
    std::string name;
    std::unique_ptr<Engine> engine;
  };

  [[nodiscard]] bool wanted(const std::string& benchmark) const {
    return filters_.empty() || std::any_of(filters_.begin(), filters_.end(), [&](const auto& filter) {
             return std::regex_search(benchmark, filter);
           });
  }

  // The cells of a table for which something is wanted; without measurements.
  [[nodiscard]] auto plan_cells(const std::string& table) const -> std::vector<Cell> {
    std::vector<Cell> planned;
    const auto add = [&](Cell cell) {
      if (std::any_of(std::begin(engine_names), std::end(engine_names),
                      [&](auto engine) { return wanted(cell.name(engine)); })) {
        planned.push_back(std::move(cell));
      }
    };
    for (const auto traffic : traffic_names) {
      add({.group = "lpm", .table = table, .traffic = std::string{traffic}});
    }
    return planned;
  }

  void run_table(const std::string& name) {
    auto planned = plan_cells(name);
    if (planned.empty()) {
      return;
    }
    if (options_.list) {
      for (const auto& cell : planned) {
        for (const auto engine : engine_names) {
          if (wanted(cell.name(engine))) {
            fmt::print("{}\n", cell.name(engine));
          }
        }
      }
      return;
    }
    const auto made = make_table(name);
    if (!made) {
      throw std::runtime_error{made.error()};
    }
    const Table& table = *made;
    fmt::print("{}: {} prefixes ({}), {} next hops, {} extension tables\n", name, table.routes.size(),
               table.source, table.highest_next_hop(), table.extended_blocks());
    context_["tables"][name] = {{"source", table.source},
                                {"prefixes", table.routes.size()},
                                {"next_hops", table.highest_next_hop()},
                                {"extension_tables", table.extended_blocks()}};
    auto contenders = make_contenders(table, planned);
    std::map<std::string, std::vector<std::uint32_t>> traffic;
    for (const auto& cell : planned) {
      auto& addresses = traffic[cell.traffic];
      if (addresses.empty()) {
        addresses = make_traffic(cell.traffic, table);
        verify(contenders, cell, addresses);
      }
    }
    for (auto& cell : planned) {
      measure(contenders, cell, traffic.at(cell.traffic));
    }
  }

  auto make_contenders(const Table& table, const std::vector<Cell>& planned) -> std::vector<Contender> {
    std::vector<Contender> contenders;
    for (const auto engine : engine_names) {
      if (std::none_of(planned.begin(), planned.end(),
                       [&](const auto& cell) { return wanted(cell.name(engine)); })) {
        continue;
      }
      auto reason = not_loaded(engine, table);
      const auto before = HugeMemory::now();
      if (reason.empty()) {
        if (auto made = make_engine(engine, table)) {
          contenders.push_back({std::string{engine}, std::move(*made)});
        } else {
          reason = made.error();
        }
      }
      if (!reason.empty()) {
        fmt::print("  {} is not timed: {}\n", engine, reason);
        context_["not_timed"][table.name][std::string{engine}] = reason;
        continue;
      }
      const auto after = HugeMemory::now();
      fmt::print("  {}: {} MB in reserved 2 MB pages, {} MB in transparent ones\n", engine,
                 (after.explicit_bytes - before.explicit_bytes) >> 20,
                 (after.transparent_bytes - before.transparent_bytes) >> 20);
    }
    return contenders;
  }

  [[nodiscard]] auto not_loaded(std::string_view engine, const Table& table) const -> std::string {
    // Each rte_lpm_add searches all rules of the same length.
    if (engine == "rte_lpm" && table.name.starts_with("full") && !(options_.slow && table.name == "full")) {
      return "takes minutes to load; --full does, with the 16 next hops (its entries have 4 bytes however "
             "many)";
    }
    return "";
  }

  // No engine is timed that answers otherwise than the first.
  void verify(std::vector<Contender>& contenders, const Cell& cell,
              std::span<const std::uint32_t> addresses) {
    if (contenders.empty()) {
      return;
    }
    const auto expected = contenders.front().engine->answers(addresses);
    std::erase_if(contenders, [&](auto& contender) {
      const auto actual = contender.engine->answers(addresses);
      const auto [wrong, right] = std::mismatch(actual.begin(), actual.end(), expected.begin());
      if (wrong == actual.end()) {
        return false;
      }
      const auto reason =
          fmt::format("says next hop {} for {}, {} says {}", *wrong,
                      fib::address_to_string(addresses[static_cast<std::size_t>(wrong - actual.begin())]),
                      contenders.front().name, *right);
      fmt::print("  {} is not timed: {}\n", contender.name, reason);
      context_["not_timed"][cell.table][contender.name] = reason;
      return true;
    });
  }

  void measure(std::vector<Contender>& contenders, Cell cell, std::span<const std::uint32_t> addresses) {
    Plan plan{.rounds = options_.quick ? 11U : 41U,
              .bulk = cell.bulk,
              .warm_up = options_.quick ? 5ms : 10ms,
              .timed = options_.quick ? 8ms : 15ms};
    std::vector<Engine*> engines;
    std::vector<std::string> names;
    for (const auto& [name, engine] : contenders) {
      if (wanted(cell.name(name))) {
        auto trial = plan;
        trial.rounds = 5;
        cell.measurements.push_back(
            {.engine = name, .variant = select_fastest(*engine, addresses, trial), .rate = {}, .events = {}});
        engines.push_back(engine.get());
        names.push_back(name);
      }
    }
    const auto rates = interleave(engines, addresses, plan);
    for (std::size_t i = 0; i < engines.size(); ++i) {
      cell.measurements[i].rate = quartiles(rates[i]);
    }
    cell.ratio = compare(names, rates);
    cells_.push_back(std::move(cell));
  }

  Options options_;
  std::vector<std::regex> filters_;
  std::vector<Cell> cells_;
  nlohmann::json context_;
};

auto date() -> std::string {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%FT%TZ", &utc);
  return text;
}

int run(Options options) {
  Benchmark benchmark{options};
  if (options.list) {
    benchmark.run();
    return 0;
  }
  const Environment environment;
  const Noise noise;
  benchmark.run();
  print(benchmark.cells());
  fmt::print("noise: {} preemptions, {:.1f} % of the CPU stolen by the hypervisor\n", noise.preemptions(),
             noise.steal_percent());
  if (!options.json.empty()) {
    auto context = benchmark.context();
    context["date"] = date();
    context["cpu"] = cpu_model();
    context["preemptions"] = noise.preemptions();
    context["steal_percent"] = noise.steal_percent();
    write_json(options.json, context, benchmark.cells());
  }
  return 0;
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) {
  sekisho::bench::Options options;
  CLI::App app{"Lookups a second of Sekisho's table, rte_fib and rte_lpm, in turns on one core."};
  app.add_option("filter", options.filters,
                 "What to run: regular expressions, each matched at the start of names like "
                 "lpm/sekisho/nva/random; all without")
      ->type_name("FILTER");
  app.add_flag("--list", options.list, "Print the names and measure nothing");
  app.add_flag("--quick", options.quick, "Fewer and shorter rounds");
  app.add_flag("--full", options.slow, "Also rte_lpm with the full table, which takes minutes to load");
  app.add_option("--json", options.json, "Also write the results here")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);
  try {
    return sekisho::bench::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "lpm: {}\n", error.what());
    return 1;
  }
}
