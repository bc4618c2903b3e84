// SPDX-License-Identifier: BSD-3-Clause
// Whether a column has one key, two or more: most bursts are of one zone, go to one next hop and there to one of two firewalls.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "common/base/vectors.hpp"
#include "dataplane/forward/burst.hpp"

namespace sekisho::forward {

using Keys = std::array<std::uint16_t, burst_capacity>;

// Which of the first `count` are `key`.
[[nodiscard]] inline PacketMask equal(const Keys& keys, std::uint16_t key, unsigned count) noexcept {
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(key));
  const auto eight = [&](unsigned at) {
    return _mm_cmpeq_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&keys[at])), wanted);
  };
  PacketMask found = 0;
  for (unsigned at = 0; at < count; at += 16) {
    found |= PacketMask{static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(eight(at), eight(at + 8))))}
             << at;
  }
  return found & first_bits(count);
}

// Whether the first `count` are equal, and there are any.
[[nodiscard]] inline bool alike(const Keys& keys, unsigned count) noexcept {
  return count != 0 && equal(keys, keys[0], count) == first_bits(count);
}

// Of the first `count`, of which there are some.
struct Split {
  std::uint16_t first = 0;
  std::uint16_t second = 0;  // the first again where all are alike
  PacketMask others = 0;     // those that have not the first key
  PacketMask seconds = 0;    // those of them that have the second one

  Split(const Keys& keys, unsigned count) noexcept
      : first(keys[0]), second(first), others(first_bits(count) & ~equal(keys, first, count)) {
    if (others != 0) {
      second = keys[static_cast<unsigned>(std::countr_zero(others))];
      seconds = equal(keys, second, count);
    }
  }

  [[nodiscard]] bool in_two() const noexcept { return others == seconds; }
};

}  // namespace sekisho::forward
