// SPDX-License-Identifier: BSD-3-Clause
// Who is measured when: what is compared takes turns, so that all meet the same clock, caches and neighbours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

namespace sekisho::bench {

// Rounds of `count` blocks in an order that is drawn anew each time; seeded, so that runs are alike.
template <typename Block>
void in_turns(unsigned rounds, std::size_t count, Block block) {
  std::mt19937 random{3};
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (unsigned round = 0; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const auto at : order) {
      block(at);
    }
  }
}

}  // namespace sekisho::bench
