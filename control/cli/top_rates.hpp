// SPDX-License-Identifier: BSD-3-Clause
// What `sekisho top` shows: two samples of the appliance's counters, a moment apart, as rates.
#pragma once

#include <chrono>
#include <string>

#include "control/cli/context.hpp"

namespace sekisho::cli {

struct Sample {
  std::chrono::steady_clock::time_point taken;
  std::chrono::system_clock::time_point time;
  std::string problem;  // why there is nothing else: control does not answer
  Json state;           // what `show` answers of each
  Json ports;
  Json zones;
  Json next_hops;
  Json drops;
};

[[nodiscard]] Sample take_sample(const Context& context);

// {"time", "seconds", "problem", "dataplane_connected", "ports": [{"name", "running", "link", "rx": {"packets_per_second",
// "bits_per_second"}, "tx"}], "zones", "next_hops", "drops": the busiest first}. A rate is null where there is none: the
// dataplane has started again in between, or is not there.
[[nodiscard]] Json rates(const Sample& before, const Sample& now);
[[nodiscard]] std::string rates_text(const Json& rates);

}  // namespace sekisho::cli
