// SPDX-License-Identifier: BSD-3-Clause
// Where a packet would go, asked for one pair of addresses and from the very tables that workers read.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/fib/next_hop_table.hpp"
#include "dataplane/forward/drop_reason.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho::forward {

// What was found before the first refusal; the rest is as initialised.
struct Decision {
  ZoneIndex zone = 0;
  bool allowed = false;  // the port may carry the zone's sources; without a port: some port may
  fib::NextHopIndex next_hop = fib::no_route;
  fib::AdjacencyIndex adjacency = fib::no_route_adjacency;
  std::optional<DropReason> drop;  // empty: it would be forwarded or given to the kernel
};

// Addresses in host byte order. The flow is one without ports: what a ping between the two would do. The
// caller is an online reader of the tables' Qsbr, or the writer.
[[nodiscard]] Decision decide(const ForwardingState& state, std::uint32_t source, std::uint32_t destination,
                              std::optional<PortIndex> port) noexcept;

}  // namespace sekisho::forward
