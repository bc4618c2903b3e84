// SPDX-License-Identifier: BSD-3-Clause
#include <rte_cycles.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/stages/cell.hpp"

namespace sekisho::bench {
namespace {

constexpr std::size_t macswap = 0;
constexpr std::size_t sekisho = 1;
constexpr std::size_t clamping = 3;
constexpr std::size_t reserved = 0;

std::string text(const Quartiles& of) {
  return fmt::format("{:.2f} [{:.2f} {:.2f}]", of.median, of.lower, of.upper);
}

}  // namespace

Quartiles speed_ratio(const std::vector<double>& cycles, const std::vector<double>& than) {
  std::vector<double> ratios(cycles.size());
  std::transform(than.begin(), than.end(), cycles.begin(), ratios.begin(), std::divides<>{});
  return quartiles(std::move(ratios));
}

void print(const std::vector<Cell>& cells) {
  fmt::print(
      "\nTSC cycles a packet (medians), what sekisho's rate is to macswap's and to its own in reserved pages "
      "[quartiles],\nand cycles of each stage (fill: of packets whose route is recorded); receiving and "
      "transmitting are a ring's\n{:>5} {:>4} {:>5} {:<11} "
      "{:>7} "
      "{:>7} {:>8}  {:<18} {:<18}",
      "frame", "hops", "burst", "pages", "macswap", "sekisho", "clamping", "to macswap", "to reserved");
  for (const auto name : stage_names) {
    fmt::print(" {:>8}", name);
  }
  fmt::print("\n");
  for (const auto& cell : cells) {
    for (std::size_t pages = 0; pages < page_kinds; ++pages) {
      const auto& cycles = cell.cycles[pages];
      fmt::print("{:>5} {:>4} {:>5} {:<11} {:>7.1f} {:>7.1f} {:>8.1f}  {:<18} {:<18}", cell.frame_bytes,
                 cell.next_hops, cell.burst, page_names[pages], quartiles(cycles[macswap]).median,
                 quartiles(cycles[sekisho]).median, quartiles(cycles[clamping]).median,
                 text(speed_ratio(cycles[sekisho], cycles[macswap])),
                 text(speed_ratio(cycles[sekisho], cell.cycles[reserved][sekisho])));
      for (const auto& stage : cell.stages[pages]) {
        fmt::print(" {:>8.1f}", quartiles(stage).median);
      }
      fmt::print("\n");
    }
  }
}

void write_json(const std::string& file, const std::vector<Cell>& cells, const Noise& noise) {
  using Json = nlohmann::ordered_json;
  const auto of = [](Json& json, const std::string& name, const Quartiles& quartiles) {
    json[name] = quartiles.median;
    json[name + "_lower_quartile"] = quartiles.lower;
    json[name + "_upper_quartile"] = quartiles.upper;
  };
  const double nanoseconds = 1e9 / static_cast<double>(rte_get_tsc_hz());
  auto benchmarks = Json::array();
  for (const auto& cell : cells) {
    for (std::size_t pages = 0; pages < page_kinds; ++pages) {
      for (std::size_t engine = 0; engine < engine_count; ++engine) {
        const auto& cycles = cell.cycles[pages][engine];
        const auto median = quartiles(cycles).median;
        Json json{{"name", fmt::format("{}/{}/{}", cell.name(), page_names[pages], engine_kinds[engine])},
                  {"run_type", "iteration"},
                  {"iterations", cycles.size()},
                  {"real_time", median * nanoseconds},
                  {"time_unit", "ns"},
                  {"items_per_second", 1e9 / (median * nanoseconds)}};
        of(json, "cycles", quartiles(cycles));
        of(json, "ratio_to_macswap", speed_ratio(cycles, cell.cycles[pages][macswap]));
        const auto ratio = speed_ratio(cycles, cell.cycles[pages][macswap]);
        json["ratio_q1"] = ratio.lower;
        json["ratio_q3"] = ratio.upper;
        of(json, "ratio_to_reserved", speed_ratio(cycles, cell.cycles[reserved][engine]));
        if (engine_kinds[engine] == "clocked") {
          for (std::size_t stage = 0; stage < stage_count; ++stage) {
            of(json, fmt::format("{}_cycles", stage_names[stage]), quartiles(cell.stages[pages][stage]));
          }
        }
        benchmarks.push_back(std::move(json));
      }
    }
  }
  const Json json{{"context",
                   {{"date", date()},
                    {"cpu", cpu_model()},
                    {"tsc_hz", rte_get_tsc_hz()},
                    {"packets_in_circulation", Circuit::packets},
                    {"preemptions", noise.preemptions()},
                    {"steal_percent", noise.steal_percent()}}},
                  {"benchmarks", std::move(benchmarks)}};
  std::ofstream out{file};
  out << json.dump(2) << '\n';
  if (!out.flush()) {
    throw std::runtime_error{fmt::format("{} cannot be written", file)};
  }
}

}  // namespace sekisho::bench
