// SPDX-License-Identifier: BSD-3-Clause
// The last stage: each port gets its packets in one call, in the order in which they came.
#pragma once

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/drops.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho::forward {

// How many the device took, asked more than once when it is merely behind.
unsigned send(std::uint16_t port, std::uint16_t queue, rte_mbuf** mbufs, unsigned count) noexcept;

// Counts what the device took; what it refuses, even when asked again, goes to `drops`.
void transmit(const ForwardingState& state, WorkerCounters& counters, unsigned worker, const Burst& burst,
              Drops& drops) noexcept;

}  // namespace sekisho::forward
