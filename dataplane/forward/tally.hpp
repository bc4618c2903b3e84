// SPDX-License-Identifier: BSD-3-Clause
// Counts traffic by index. A burst mostly counts for one index (a zone, a default route) or two (a pair of firewalls):
// that is one or two additions, where one a packet would each wait for the one before.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/split.hpp"

namespace sekisho::forward {

using Sizes = std::array<std::uint32_t, burst_capacity>;

// Of those of the first `count` that have the key. Masks instead of a condition: which packets have it follows no pattern.
[[nodiscard]] inline std::uint32_t bytes_of(std::uint16_t key, const Keys& keys, const Sizes& sizes,
                                            unsigned count) noexcept {
  std::uint32_t bytes = 0;
  for (unsigned at = 0; at < count; ++at) {
    bytes += sizes[at] & (keys[at] == key ? ~0U : 0U);
  }
  return bytes;
}

// Packet `at`, of sizes[at] bytes, counts for traffic[keys[at]]. All have `bytes`.
inline void tally(std::span<Traffic> traffic, const Keys& keys, const Sizes& sizes, unsigned count,
                  std::uint32_t bytes) noexcept {
  if (count == 0) {
    return;
  }
  const Split split(keys, count);
  if (!split.in_two()) {
    for (unsigned at = 0; at < count; ++at) {
      traffic[keys[at]].add_one(sizes[at]);
    }
    return;
  }
  if (split.others != 0) {
    const auto others = static_cast<unsigned>(std::popcount(split.others));
    const std::uint32_t bytes_of_others = bytes_of(split.second, keys, sizes, count);
    traffic[split.second].add(others, bytes_of_others);
    count -= others;
    bytes -= bytes_of_others;
  }
  traffic[split.first].add(count, bytes);
}

}  // namespace sekisho::forward
