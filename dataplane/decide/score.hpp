// SPDX-License-Identifier: BSD-3-Clause
// How much a bucket likes a member: rendezvous hashing's random numbers. The same on every appliance, without a seed.
#pragma once

#include <cstdint>

namespace sekisho::decide {

// The finalizer of MurmurHash3: every bit of the input changes every bit of the output with probability one half.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  value ^= value >> 33;
  return value;
}

[[nodiscard]] constexpr std::uint32_t score(std::uint32_t address, unsigned bucket) noexcept {
  return static_cast<std::uint32_t>(mix(mix(address) + bucket + 1) >> 32);
}

// The largest of `weight` scores: members win by their weights.
[[nodiscard]] constexpr std::uint32_t weighted_score(std::uint32_t address, unsigned bucket,
                                                     unsigned weight) noexcept {
  std::uint32_t best = 0;
  for (unsigned i = 0; i < weight; ++i) {
    const auto one =
        static_cast<std::uint32_t>(mix(mix(address) + bucket + 1 + (std::uint64_t{i} << 32)) >> 32);
    best = one > best ? one : best;
  }
  return best;
}

}  // namespace sekisho::decide
