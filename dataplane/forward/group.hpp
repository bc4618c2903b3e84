// SPDX-License-Identifier: BSD-3-Clause
// Calls `visit(key, positions)` for each distinct key among the first `count`, with the ascending positions
// at which it stands. A burst has few distinct keys (zones, ports), so it is walked once for each.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/forward/burst.hpp"

namespace sekisho::forward {

template <typename Key, typename Visit>
void for_each_group(const std::array<Key, burst_capacity>& keys, unsigned count, Visit visit) noexcept {
  static_assert(burst_capacity == 64, "one bit a packet");
  std::uint64_t pending = count == 0 ? 0 : ~std::uint64_t{0} >> (burst_capacity - count);
  std::array<std::uint8_t, burst_capacity> positions;
  while (pending != 0) {
    const Key key = keys[static_cast<unsigned>(std::countr_zero(pending))];
    unsigned members = 0;
    for (std::uint64_t rest = pending; rest != 0; rest &= rest - 1) {
      const auto at = static_cast<unsigned>(std::countr_zero(rest));
      if (keys[at] == key) {
        positions[members++] = static_cast<std::uint8_t>(at);
        pending &= ~(std::uint64_t{1} << at);
      }
    }
    visit(key, std::span<const std::uint8_t>(positions.data(), members));
  }
}

}  // namespace sekisho::forward
