// SPDX-License-Identifier: BSD-3-Clause
// The stages of a burst, in the order in which a packet is judged:
//
//   validate   frame, IPv4 header, martians, multicast, IPv4 options
//   admit      whose source is it (LPM on the source: zone), and may this port carry it
//   route      where may it go (LPM on the destination, in the zone's table)
//   resolve    next hop, group member by flow hash, adjacency; TTL; MTU
//   clamp      where a port is configured to: what TCP says of its longest segment
//   fill       IPv4 options that ask for our address or the time
//   rewrite    TTL, checksum, Ethernet header
//   transmit   by port
//
// What a packet's stage does not let go on has a verdict (decide/verdict.hpp): dropped, or given to the kernel (diverted.hpp), or
// sent in fragments (fragment.cpp). The sender of what is dropped may be told by ICMP (answering.hpp).
//
// Every frame handed in, or made meanwhile, is transmitted, dropped or given to the host thread when the call returns, unless it waits
// for its neighbour (waiting.hpp).
#pragma once

#include <span>

#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"

struct rte_mbuf;

namespace sekisho::forward {

// Between one and burst_capacity frames that came in by `ingress`; their list is used up. `own`: the worker's.
void forward_burst(const ForwardingState& state, WorkerData& own, const RxQueue& ingress,
                   std::span<rte_mbuf*> received) noexcept;

}  // namespace sekisho::forward
