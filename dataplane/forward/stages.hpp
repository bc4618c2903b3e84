// SPDX-License-Identifier: BSD-3-Clause
// The stages of a burst, in the order in which a packet is judged; a file each. pipeline.hpp says what they are for.
//
// A stage takes out of the burst what goes no further, with its verdict: the questions are decide/verdict.hpp's.
#pragma once

#include <span>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/diverted.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"

namespace sekisho::forward {

// Of one burst.
struct Context {
  const ForwardingState& state;
  WorkerData& own;
  const RxQueue& ingress;
  Diverted& diverted;
};

// Fills frames, sizes and headers from the mbufs, of which there are some, and counts what was received.
void validate(const Context& context, Burst& burst) noexcept;
void admit(const Context& context, Burst& burst) noexcept;
void route(const Context& context, Burst& burst) noexcept;
void resolve(const Context& context, Burst& burst) noexcept;
// Packet `at` of a burst that resolve() is about to leave: to its adjacency or, with that kind of verdict, to the exit. Counts all.
[[gnu::cold]] void send_in_fragments(const Context& context, const Burst& burst, unsigned at,
                                     Verdict::Kind kind) noexcept;
// Of TCP's SYN segments, where a port of their way asks for it: what they say of the longest segment.
void clamp(const Context& context, const Burst& burst) noexcept;
// Of packet `at` alone, which goes to `egress`.
void clamp_one(const Context& context, const Burst& burst, unsigned at, PortIndex egress) noexcept;
// Where an option asks for it, and the port has an address.
[[gnu::cold]] void fill(const Context& context, const Burst& burst) noexcept;
// Of packet `at` alone, which goes to `egress`.
[[gnu::cold]] void fill_one(const Context& context, const Burst& burst, unsigned at,
                            PortIndex egress) noexcept;
void rewrite(Burst& burst) noexcept;
// Each port gets the packets that leave whole in one call, in the order in which they came; a packet in fragments has gone before them, in
// a call of its own. Counts what the devices took; what they refuse,
// even when asked again, is dropped.
void transmit(const Context& context, const Burst& burst) noexcept;

// By the device `dpdk_port` of port `port`. How many it took, asked more than once when it is merely behind.
unsigned send(const ForwardingState& state, unsigned worker, PortIndex port, std::uint16_t dpdk_port,
              std::span<rte_mbuf*> frames) noexcept;

}  // namespace sekisho::forward
