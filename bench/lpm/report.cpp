// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "bench/environment.hpp"

namespace sekisho::bench {
namespace {

using Json = nlohmann::ordered_json;

// Of the median of a rate: where engines stand apart by a tenth, a wider range would hide it.
constexpr double noisy = 0.1;

std::string verdict(const Cell& cell) {
  if (!cell.ratio || cell.group != "lpm") {
    return "";
  }
  const double wanted = target(cell.table, cell.traffic);
  const double share = cell.ratio->of.median / wanted;
  return share >= 1 ? fmt::format("{:5.1f}   met", wanted)
                    : fmt::format("{:5.1f}   {:.0f} % short", wanted, 100 * (1 - share));
}

void print_group(const std::vector<Cell>& cells, std::string_view group) {
  const bool any =
      std::any_of(cells.begin(), cells.end(), [&](const auto& cell) { return cell.group == group; });
  if (!any) {
    return;
  }
  fmt::print("\n{}: million lookups a second (median)\n{:<8} {:<7} {:>4}", group, "table", "traffic", "bulk");
  for (const auto engine : engine_names) {
    fmt::print(" {:>10}", engine);
  }
  fmt::print("   {:<30}{}\n", "ratio [quartiles]", group == "lpm" ? "target  verdict" : "");
  for (const auto& cell : cells) {
    if (cell.group != group) {
      continue;
    }
    fmt::print("{:<8} {:<7} {:>4}", cell.table, cell.traffic, cell.bulk);
    for (const auto engine : engine_names) {
      const auto found = std::find_if(cell.measurements.begin(), cell.measurements.end(),
                                      [&](const auto& each) { return each.engine == engine; });
      found == cell.measurements.end() ? fmt::print(" {:>10}", "-")
                                       : fmt::print(" {:>10.0f}", found->rate.median / 1e6);
    }
    if (cell.ratio) {
      const auto& [lower, median, upper] = cell.ratio->of;
      fmt::print("   {:<30}{}",
                 fmt::format("{:.2f} [{:.2f} {:.2f}] {}", median, lower, upper, cell.ratio->against),
                 verdict(cell));
    }
    fmt::print("\n");
  }
}

void print_summary(const std::vector<Cell>& cells) {
  unsigned missed = 0;
  unsigned far = 0;
  unsigned measured = 0;
  for (const auto& cell : cells) {
    if (cell.group == "lpm" && cell.ratio) {
      const double share = cell.ratio->of.median / target(cell.table, cell.traffic);
      ++measured;
      missed += share < 1;
      far += share < 1 - tolerance;
    }
  }
  if (measured != 0) {
    fmt::print(
        "\n{} of {} cells miss their target, {} of them by more than {:.0f} %; allowed are {} and none\n",
        missed, measured, far, 100 * tolerance, allowed_misses);
  }
}

// The CPU's counters, a lookup; nothing where it lets us count nothing.
void print_events(const std::vector<Cell>& cells) {
  bool first = true;
  for (const auto& cell : cells) {
    for (const auto& measurement : cell.measurements) {
      if (cell.group != "lpm" || measurement.events.empty()) {
        continue;
      }
      if (std::exchange(first, false)) {
        fmt::print("\nlpm: events a lookup\n");
      }
      fmt::print("{:<8} {:<7} {:<10}", cell.table, cell.traffic, measurement.engine);
      for (const auto& [name, value] : measurement.events) {
        fmt::print("  {} {:.3f}", name, value);
      }
      fmt::print("\n");
    }
  }
}

void print_noise(const Context& context, const std::vector<Cell>& cells) {
  std::vector<double> spreads;
  for (const auto& cell : cells) {
    for (const auto& [engine, variant, rate, events] : cell.measurements) {
      spreads.push_back((rate.upper - rate.lower) / rate.median);
    }
  }
  if (spreads.empty()) {
    return;
  }
  const double spread = quartiles(std::move(spreads)).median;
  fmt::print(
      "noise: the rates' interquartile range is {:.0f} % of the median; {} preemptions; {:.1f} % stolen by "
      "the "
      "hypervisor{}\n",
      100 * spread, context.preemptions, context.steal_percent,
      spread > noisy ? ". This machine was busy: trust the ratios, not the rates" : "");
  if (!context.counters.empty()) {
    fmt::print("the CPU's counters are not there: {}\n", context.counters);
  }
  if (!context.thrash.empty()) {
    fmt::print("lpm-thrash did not run: {}\n", context.thrash);
  }
}

Json to_json(const Cell& cell, const Measurement& measurement) {
  const auto& rate = measurement.rate;
  const double nanoseconds = 1e9 / rate.median;
  Json json{{"name", cell.name(measurement.engine)},
            {"run_name", cell.name(measurement.engine)},
            {"run_type", "iteration"},
            {"repetitions", 1},
            {"repetition_index", 0},
            {"threads", 1},
            {"iterations", 1},
            {"real_time", nanoseconds},
            {"cpu_time", nanoseconds},
            {"time_unit", "ns"},
            {"items_per_second", rate.median},
            {"items_per_second_lower_quartile", rate.lower},
            {"items_per_second_upper_quartile", rate.upper},
            {"label", measurement.variant}};
  for (const auto& [name, value] : measurement.events) {
    json[name + "_per_lookup"] = value;
  }
  if (measurement.engine == "sekisho" && cell.ratio) {
    json["ratio"] = cell.ratio->of.median;
    json["ratio_lower_quartile"] = cell.ratio->of.lower;
    json["ratio_upper_quartile"] = cell.ratio->of.upper;
    json["ratio_against"] = cell.ratio->against;
    if (cell.group == "lpm") {
      json["ratio_target"] = target(cell.table, cell.traffic);
    }
  }
  return json;
}

}  // namespace

void print(const Context& context, const std::vector<Cell>& cells) {
  for (const auto* const group : {"lpm", "lpm-bulk", "lpm-thrash"}) {
    print_group(cells, group);
  }
  print_events(cells);
  print_summary(cells);
  print_noise(context, cells);
}

void write_json(const std::filesystem::path& file, const Context& context, const std::vector<Cell>& cells) {
  Json json{{"context",
             {{"date", date()},
              {"cpu", cpu_model()},
              {"tables", context.tables},
              {"not_timed", context.not_timed},
              {"counters_missing", context.counters},
              {"thrash_missing", context.thrash},
              {"preemptions", context.preemptions},
              {"steal_percent", context.steal_percent}}},
            {"benchmarks", Json::array()}};
  for (const auto& cell : cells) {
    for (const auto& measurement : cell.measurements) {
      json["benchmarks"].push_back(to_json(cell, measurement));
    }
  }
  std::ofstream out{file};
  out << json.dump(2) << '\n';
  if (!out.flush()) {
    throw std::runtime_error{fmt::format("{} cannot be written", file.string())};
  }
}

}  // namespace sekisho::bench
