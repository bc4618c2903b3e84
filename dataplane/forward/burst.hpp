// SPDX-License-Identifier: BSD-3-Clause
// A burst on its way through the stages, as parallel columns: each stage reads few of a packet's properties
// and lookup_bulk wants them side by side. Packets keep their order; where one is refused, the gap is closed
// before the next stage.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <numeric>

#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/packet/columns.hpp"

struct rte_mbuf;

namespace sekisho::forward {

inline constexpr unsigned burst_capacity = 64;

// One bit a packet of the burst.
using PacketMask = std::uint64_t;
static_assert(burst_capacity == 8 * sizeof(PacketMask));

[[nodiscard]] constexpr PacketMask bit(unsigned at) noexcept {
  return PacketMask{1} << at;
}

// Of `count` packets, of which there are some.
[[nodiscard]] constexpr PacketMask first_bits(unsigned count) noexcept {
  return ~PacketMask{0} >> (burst_capacity - count);
}

template <typename Visit>
void for_each_bit(PacketMask mask, Visit visit) noexcept {
  for (; mask != 0; mask &= mask - 1) {
    visit(static_cast<unsigned>(std::countr_zero(mask)));
  }
}

// Uninitialised on purpose: only the first `count` of a column are ever read, once a stage has written them.
struct Burst {
  unsigned count = 0;
  std::uint32_t bytes = 0;     // of all frames
  rte_mbuf** mbufs = nullptr;  // the receiver's own list
  std::array<std::uint8_t*, burst_capacity> frames;
  alignas(64) std::array<std::uint32_t, burst_capacity> sizes;  // of the frames
  packet::Columns<burst_capacity> headers;
  // As the tables give them: the values of ZoneIndex, and of NextHopIndex.
  std::array<fib::Value, burst_capacity> zones;
  std::array<fib::Value, burst_capacity> next_hops;
  std::array<nexthop::AdjacencyIndex, burst_capacity> adjacencies;
  // Found once: a neighbour that dies meanwhile must not give its packets a header without a MAC.
  std::array<const nexthop::Adjacency*, burst_capacity> rewrites;
  // Few packets need more than the others, and stages look for them here instead of at each.
  PacketMask expiring = 0;  // TTL 0 or 1
  PacketMask trailed = 0;   // more follows the datagram than Ethernet's padding
  PacketMask to_fill = 0;   // an option asks for our address, or the time
  PortMask egress = 0;      // the ports to which packets go, and perhaps more
  bool one_zone = false;    // all packets' sources are of the same one

  // Closes the gaps in what every stage reads, and in `columns`.
  template <typename... Column>
  void remove(PacketMask gone, Column&... columns) noexcept {
    unsigned kept = 0;
    PacketMask kept_expiring = 0;
    PacketMask kept_trailed = 0;
    PacketMask kept_to_fill = 0;
    for (unsigned at = 0; at < count; ++at) {
      if ((gone & bit(at)) != 0) {
        continue;
      }
      const auto move = [at, kept](auto& column) { column[kept] = column[at]; };
      move(mbufs);
      move(frames);
      move(sizes);
      move(headers.lengths);
      (move(columns), ...);
      kept_expiring |= (expiring >> at & 1) << kept;
      kept_trailed |= (trailed >> at & 1) << kept;
      kept_to_fill |= (to_fill >> at & 1) << kept;
      ++kept;
    }
    count = kept;
    bytes = std::accumulate(sizes.begin(), sizes.begin() + count, 0U);
    expiring = kept_expiring;
    trailed = kept_trailed;
    to_fill = kept_to_fill;
  }
};

}  // namespace sekisho::forward
