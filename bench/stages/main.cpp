// SPDX-License-Identifier: BSD-3-Clause
// What a packet costs in the stages of forwarding, by the pages in which packets lie, against a swap of two addresses.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/environment.hpp"
#include "bench/in_turns.hpp"
#include "bench/lpm/filter.hpp"
#include "bench/stages/cell.hpp"

namespace sekisho::bench {
namespace {

// A block is some rounds of all packets: at 30 cycles a packet, 2 ms. Fewer than a TTL has.
constexpr std::uint64_t warm_up = 10UL * Circuit::packets;
constexpr std::uint64_t timed = 40UL * Circuit::packets;
constexpr unsigned attempts = 10;

std::vector<Cell> plan(const std::vector<std::string>& filters) {
  const Filter wanted{filters};
  std::vector<Cell> cells;
  const auto add = [&](unsigned frame_bytes, unsigned next_hops, unsigned burst) {
    Cell cell{.frame_bytes = frame_bytes, .next_hops = next_hops, .burst = burst, .cycles = {}, .stages = {}};
    if (wanted(cell.name())) {
      cells.push_back(std::move(cell));
    }
  };
  for (const unsigned next_hops : {1, 2, 16}) {
    for (const unsigned frame_bytes : {60, 508, 1514}) {
      add(frame_bytes, next_hops, forward::burst_capacity);
    }
  }
  // What a burst costs however small it is, which does not depend on the frames.
  for (const unsigned burst : {1, 4, 16, 32}) {
    add(60, 2, burst);
  }
  return cells;
}

void measure(Cell& cell, unsigned members, unsigned rounds,
             const std::vector<std::unique_ptr<Circuit>>& circuits) {
  Appliance appliance{cell.next_hops, members};
  in_turns(rounds, page_kinds * engine_count, [&](std::size_t block) {
    const auto pages = block / engine_count;
    const auto engine = block % engine_count;
    auto& circuit = *circuits[pages];
    std::uint64_t ticks = 0;
    // One in which another thread had our CPU says nothing; where it never is ours alone, the quartiles show it.
    for (unsigned attempt = 0; attempt < attempts; ++attempt) {
      circuit.refill(cell.frame_bytes, engine_kinds[engine] == "options");
      appliance.run(engine, circuit.port(), warm_up, cell.burst);
      stage_clock.ticks = {};
      const Noise noise;
      ticks = appliance.run(engine, circuit.port(), timed, cell.burst);
      if (noise.preemptions() == 0) {
        break;
      }
    }
    if (!circuit.complete()) {
      throw std::runtime_error{fmt::format("{}: {} has lost packets", cell.name(), engine_kinds[engine])};
    }
    cell.cycles[pages][engine].push_back(static_cast<double>(ticks) / timed);
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
      // Of packets that nothing is to be filled in for, the stage is a branch a burst.
      if (engine_kinds[engine] != (static_cast<Stage>(stage) == Stage::fill ? "options" : "clocked")) {
        continue;
      }
      cell.stages[pages][stage].push_back(static_cast<double>(stage_clock.ticks[stage]) / timed);
    }
  });
}

int run(int argc, char** argv) {
  std::vector<std::string> filters;
  bool list = false;
  bool quick = false;
  std::string json;
  unsigned members = 1;
  CLI::App app{"TSC cycles a packet of Sekisho's forwarding stages and of a MAC swap, in turns on one core."};
  app.add_option("filter", filters,
                 "What to run: regular expressions, each matched at the start of names like "
                 "stages/60/2/burst-4 (bytes of a frame, next hops, packets at once); all without")
      ->type_name("FILTER");
  app.add_flag("--list", list, "Print the names and measure nothing");
  app.add_flag("--quick", quick, "Fewer rounds");
  app.add_option("--members", members, "Of each next hop")->check(CLI::Range(1, 64));
  app.add_option("--json", json, "Also write the results here")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);
  auto cells = plan(filters);
  if (list) {
    for (const auto& cell : cells) {
      fmt::print("{}\n", cell.name());
    }
    return 0;
  }
  const Environment environment;
  std::vector<std::unique_ptr<Circuit>> circuits;
  for (std::size_t pages = 0; pages < page_kinds; ++pages) {
    circuits.push_back(std::make_unique<Circuit>(pages));
  }
  const Noise noise;
  for (auto& cell : cells) {
    measure(cell, members, quick ? 11 : 41, circuits);
  }
  fmt::print("{}\n", cpu_model());
  print(cells);
  fmt::print("noise: {} preemptions, {:.1f} % stolen by the hypervisor\n", noise.preemptions(),
             noise.steal_percent());
  if (!json.empty()) {
    write_json(json, cells, noise);
  }
  return 0;
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) {
  try {
    return sekisho::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "stages: {}\n", error.what());
    return 1;
  }
}
