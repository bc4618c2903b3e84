// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/interleave.hpp"

#include <algorithm>
#include <cstddef>

#include "bench/in_turns.hpp"
#include "bench/statistics.hpp"

namespace sekisho::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Between two looks at the clock: about 100 us of the slowest engine.
constexpr std::size_t chunk = 16384;

// Goes round the addresses, and goes on where the block before stopped.
class Runner {
 public:
  Runner(Engine& engine, std::span<const std::uint32_t> addresses, unsigned bulk)
      : engine_{engine}, addresses_{addresses}, bulk_{bulk} {}

  // Lookups a second.
  double run(std::chrono::microseconds time) {
    const auto start = Clock::now();
    std::size_t lookups = 0;
    for (;;) {
      engine_.run(addresses_.subspan(position_, chunk), bulk_);
      position_ = (position_ + chunk) % addresses_.size();
      lookups += chunk;
      const auto taken = Clock::now() - start;
      if (taken >= time) {
        return static_cast<double>(lookups) / std::chrono::duration<double>(taken).count();
      }
    }
  }

 private:
  Engine& engine_;
  std::span<const std::uint32_t> addresses_;
  unsigned bulk_;
  std::size_t position_ = 0;
};

}  // namespace

Rates interleave(std::span<Engine* const> engines, std::span<const std::uint32_t> addresses,
                 const Plan& plan) {
  std::vector<Runner> runners;
  for (auto* const engine : engines) {
    runners.emplace_back(*engine, addresses, plan.bulk);
  }
  Rates rates(engines.size());
  in_turns(plan.rounds, engines.size(), [&](std::size_t engine) {
    runners[engine].run(plan.warm_up);
    rates[engine].push_back(runners[engine].run(plan.timed));
  });
  return rates;
}

auto select_fastest(Engine& engine, std::span<const std::uint32_t> addresses, const Plan& plan)
    -> std::string {
  const auto names = engine.variants();
  if (names.size() == 1) {
    return names.front();
  }
  Runner runner{engine, addresses, plan.bulk};
  Rates rates(names.size());
  in_turns(plan.rounds, names.size(), [&](std::size_t variant) {
    engine.select(variant);
    runner.run(plan.warm_up);
    rates[variant].push_back(runner.run(plan.timed));
  });
  std::vector<double> medians;
  for (const auto& variant : rates) {
    medians.push_back(quartiles(variant).median);
  }
  const auto best =
      static_cast<std::size_t>(std::max_element(medians.begin(), medians.end()) - medians.begin());
  engine.select(best);
  return names[best];
}

}  // namespace sekisho::bench
