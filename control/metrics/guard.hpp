// SPDX-License-Identifier: BSD-3-Clause
// The guard as metrics: which locks hold, how often each was put back, what they dropped.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "control/guard/keeper.hpp"
#include "control/guard/truth.hpp"
#include "control/metrics/text.hpp"

namespace sekisho::metrics {

struct Guarding {
  guard::Truth truth;
  guard::Restored restored;
  std::map<std::string, std::uint64_t> dropped;  // by the tc program, by reason
};

void add_guard(Text& text, const Guarding& guarding);

}  // namespace sekisho::metrics
