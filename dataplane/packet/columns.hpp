// SPDX-License-Identifier: BSD-3-Clause
// What the headers of several packets say, column by column: a stage reads few of a packet's fields, and wants those
// of all packets side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sekisho::packet {

// A multiple of four packets, or of sixteen where they are read sixteen at a time. Uninitialised on purpose.
template <std::size_t Capacity>
struct Columns {
  static_assert(Capacity % 4 == 0, "they are filled four at a time");
  alignas(64) std::array<std::uint32_t, Capacity> sources;  // in host byte order, as the lookups want them
  alignas(64) std::array<std::uint32_t, Capacity> destinations;
  alignas(64) std::array<std::uint32_t, Capacity> lengths;  // the IPv4 total length
  alignas(64) std::array<std::uint32_t, Capacity> hashes;   // of the flows (flow_hash.hpp)
};

}  // namespace sekisho::packet
