// SPDX-License-Identifier: BSD-3-Clause
// Quartiles: what is published of a series of rounds. Means follow the outliers of a shared machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace sekisho::bench {

struct Quartiles {
  double lower = 0;
  double median = 0;
  double upper = 0;
};

// With linear interpolation between neighbours. `values` is not empty.
inline Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double position = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], position - static_cast<double>(below));
  };
  return {.lower = at(0.25), .median = at(0.5), .upper = at(0.75)};
}

}  // namespace sekisho::bench
