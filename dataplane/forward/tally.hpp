// Counts traffic by index. A burst mostly counts for one index (a zone, a default route) or two (a pair of firewalls):
// that is one or two additions, where one a packet would each wait for the one before.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/counters.hpp"

namespace sekisho::forward {

// Whether the first `count` are equal, and there are any.
template <typename Key>
[[nodiscard]] bool alike(const std::array<Key, burst_capacity>& keys, unsigned count) noexcept {
  Key differing = 0;
  for (unsigned at = 0; at < count; ++at) {
    differing = static_cast<Key>(differing | (keys[at] ^ keys[0]));
  }
  return count != 0 && differing == 0;
}

struct Sum {
  std::uint32_t packets = 0;
  std::uint32_t bytes = 0;
};

template <typename Key>
[[nodiscard]] Sum sum_of(Key key, const std::array<Key, burst_capacity>& keys,
                         const std::array<std::uint32_t, burst_capacity>& sizes, unsigned count) noexcept {
  Sum sum;
  for (unsigned at = 0; at < count; ++at) {
    const std::uint32_t mask = keys[at] == key ? ~0U : 0U;
    sum.packets -= mask;
    sum.bytes += sizes[at] & mask;
  }
  return sum;
}

// Packet `at`, of sizes[at] bytes, counts for traffic[keys[at]].
template <typename Key>
void tally(std::span<Traffic> traffic, const std::array<Key, burst_capacity>& keys,
           const std::array<std::uint32_t, burst_capacity>& sizes, unsigned count) noexcept {
  if (count == 0) {
    return;
  }
  const Sum first = sum_of(keys[0], keys, sizes, count);
  if (first.packets == count) {
    traffic[keys[0]].add(first.packets, first.bytes);
    return;
  }
  const Key other = *std::find_if(keys.begin(), keys.end(), [&](Key key) { return key != keys[0]; });
  const Sum second = sum_of(other, keys, sizes, count);
  if (first.packets + second.packets == count) {
    traffic[keys[0]].add(first.packets, first.bytes);
    traffic[other].add(second.packets, second.bytes);
    return;
  }
  for (unsigned at = 0; at < count; ++at) {
    traffic[keys[at]].add(1, sizes[at]);
  }
}

}  // namespace sekisho::forward
