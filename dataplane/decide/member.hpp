// SPDX-License-Identifier: BSD-3-Clause
// Which member of a next hop a flow takes: rendezvous hashing on the members' addresses (Thaler & Ravishankar 1998). When a member
// dies only its flows move, when it returns only they come back, and two appliances with the same members choose alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <ranges>

namespace sekisho::decide {

// A flow's hash (packet/flow_hash.hpp) decides by one of these.
inline constexpr unsigned buckets = 256;
[[nodiscard]] constexpr unsigned bucket_of(std::uint32_t flow_hash) noexcept {
  return flow_hash % buckets;
}

// The finalizer of MurmurHash3: every bit of the input changes every bit of the output with probability one
// half.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  value ^= value >> 33;
  return value;
}

// The same on every appliance: nothing but the member's address and the bucket, no seed.
[[nodiscard]] constexpr std::uint64_t score(std::uint32_t address, unsigned bucket) noexcept {
  return mix(mix(address) + bucket + 1);
}

// Of living members, sorted by address; end() when there are none. Equal scores go to the first.
template <std::ranges::forward_range Members, typename AddressOf>
[[nodiscard]] constexpr auto choose(const Members& living, unsigned bucket, AddressOf address_of) {
  return std::ranges::max_element(
      living, {}, [&](const auto& member) { return score(std::invoke(address_of, member), bucket); });
}

}  // namespace sekisho::decide
