// A burst on its way through the stages, as parallel arrays: each stage reads few of a packet's properties
// and lookup_bulk wants them side by side. A stage keeps the packets that go on at the front, in their order.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/fib/next_hop_table.hpp"
#include "dataplane/forward/forwarding_state.hpp"

struct rte_mbuf;

namespace sekisho::forward {

inline constexpr unsigned burst_capacity = 64;

// Uninitialised on purpose: only the first `count` are ever read.
struct Burst {
  unsigned count = 0;
  std::array<rte_mbuf*, burst_capacity> mbufs;
  std::array<std::uint32_t, burst_capacity> bytes;  // of the frame
  std::array<std::uint32_t, burst_capacity> sources;
  std::array<std::uint32_t, burst_capacity> destinations;
  std::array<ZoneIndex, burst_capacity> zones;
  std::array<fib::NextHopIndex, burst_capacity> next_hops;
  std::array<fib::AdjacencyIndex, burst_capacity> adjacencies;
  // Found once: a neighbour that dies meanwhile must not give its packets a header without a MAC.
  std::array<const fib::Adjacency*, burst_capacity> rewrites;
  std::array<PortIndex, burst_capacity> egress;
};

}  // namespace sekisho::forward
