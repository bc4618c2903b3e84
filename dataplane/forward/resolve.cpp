// SPDX-License-Identifier: BSD-3-Clause
#include <rte_mbuf.h>

#include <span>

#include "dataplane/decide/verdict.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/split.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::forward {
namespace {

// An adjacency for each packet. Returns which packets their adjacencies do not take. `next_hop_of` may also count a packet: a loop of
// its own would read the same again.
template <typename NextHopOf>
PacketMask choose(const nexthop::NextHopTable& next_hops, Burst& burst, NextHopOf next_hop_of) noexcept {
  PacketMask refused = 0;
  PortMask egress = 0;
  const unsigned count = burst.count;  // for the compiler, a counter might be the burst's own
  for (unsigned at = 0; at < count; ++at) {
    const nexthop::NextHop& next_hop = next_hop_of(at);
    const nexthop::AdjacencyIndex index = next_hop.choose(burst.headers.hashes[at]);
    const nexthop::Adjacency& adjacency = next_hops.adjacency(index);
    burst.adjacencies[at] = index;
    burst.rewrites[at] = &adjacency;
    egress |= adjacency.port_bit;
    if (burst.headers.lengths[at] > adjacency.mtu) [[unlikely]] {
      refused |= bit(at);
    }
  }
  burst.egress = egress;
  return refused;
}

// What validation has hashed by five-tuple, before the next hop was known.
void hash_by_addresses(Burst& burst, unsigned at) noexcept {
  const packet::Ipv4View ip(burst.frames[at] + packet::ethernet_header_size);
  const std::size_t readable = burst.mbufs[at]->data_len - packet::ethernet_header_size;
  burst.headers.hashes[at] = packet::address_hash(packet::related_flow(ip, readable));
}

// All packets' next hop is the same.
PacketMask choose_of_one(const nexthop::NextHopTable& next_hops, Burst& burst) noexcept {
  const auto& next_hop = next_hops.next_hop(NextHopIndex{burst.next_hops[0]});
  if (next_hop.hash_by() == packet::HashBy::addresses) [[unlikely]] {
    for (unsigned at = 0; at < burst.count; ++at) {
      hash_by_addresses(burst, at);
    }
  }
  return choose(next_hops, burst, [&](unsigned) noexcept -> const auto& { return next_hop; });
}

// Counts each packet for its next hop.
PacketMask choose_of_many(const nexthop::NextHopTable& next_hops, Burst& burst,
                          std::span<Traffic> counted) noexcept {
  const auto next_hop_of = [&](unsigned at) noexcept -> const auto& {
    return next_hops.next_hop(NextHopIndex{burst.next_hops[at]});
  };
  if (next_hops.any_by_addresses()) [[unlikely]] {
    for (unsigned at = 0; at < burst.count; ++at) {
      if (next_hop_of(at).hash_by() == packet::HashBy::addresses) {
        hash_by_addresses(burst, at);
      }
    }
  }
  return choose(next_hops, burst, [&](unsigned at) noexcept -> const auto& {
    const fib::Value next_hop = burst.next_hops[at];
    counted[next_hop].add_one(burst.sizes[at]);
    return next_hops.next_hop(NextHopIndex{next_hop});
  });
}

PacketMask packets_to(unsigned port, const Burst& burst) noexcept {
  PacketMask packets = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    packets |= PacketMask{burst.rewrites[at]->port == port} << at;
  }
  return packets;
}

void await_neighbour(const Context& context, const Burst& burst, unsigned at) noexcept {
  if (context.own.waiting.keep(burst.mbufs[at], burst.headers.destinations[at], context.ingress)) {
    context.own.counters.ports[context.ingress.port].waiting.add(1);
    if (auto* const tracing = tracing_of(context.state, context.own.index)) {
      tracing->is_waiting(burst.mbufs[at]);
    }
  } else {
    context.diverted.add(burst.mbufs[at], DropReason::neighbour_queue_full);
  }
}

void divert(const Context& context, const Burst& burst, unsigned at) noexcept {
  const nexthop::Adjacency& adjacency = *burst.rewrites[at];
  const auto& state = context.state;
  const packet::Ipv4View ip(burst.frames[at] + packet::ethernet_header_size);
  const auto ways = decide::ways_to_kernel(state.host[context.ingress.port], state.exit_mtu);
  const auto verdict =
      decide::at_egress(egress_of(state, adjacency, context.own.index), ways, decide::datagram_of(ip));
  const bool wants_neighbour =
      adjacency.action == Action::connected && verdict.drop() == DropReason::neighbour_unresolved;
  if (wants_neighbour) {
    context.own.wanted.note(burst.headers.destinations[at]);
  }
  const bool to_exit =
      verdict.kind() == Verdict::Kind::to_exit || verdict.kind() == Verdict::Kind::to_exit_in_fragments;
  const bool in_fragments = verdict.kind() == Verdict::Kind::forward_in_fragments ||
                            verdict.kind() == Verdict::Kind::to_exit_in_fragments;
  if (state.clamping.ports != 0 && (to_exit || in_fragments)) {
    clamp_one(context, burst, at, to_exit ? state.exit_port : adjacency.port);
  }
  if (wants_neighbour && context.own.waiting.has_patience()) {
    await_neighbour(context, burst, at);
  } else if (in_fragments) {
    send_in_fragments(context, burst, at, verdict.kind());
  } else {
    context.diverted.add(burst.mbufs[at], verdict);
  }
}

}  // namespace

void resolve(const Context& context, Burst& burst) noexcept {
  const auto& next_hops = *context.state.next_hops;
  auto& counted = context.own.counters.next_hops;
  PacketMask refused = burst.expiring;
  if (alike(burst.next_hops, burst.count)) {
    counted[burst.next_hops[0]].add(burst.count, burst.bytes);
    refused |= choose_of_one(next_hops, burst);
  } else {
    refused |= choose_of_many(next_hops, burst, counted);
  }
  for_each_bit(burst.egress, [&](unsigned port) {
    if (!runs(context.state.ports[port], context.own.index)) [[unlikely]] {
      refused |= packets_to(port, burst);
    }
  });
  if (refused != 0) [[unlikely]] {
    if (auto* const tracing = tracing_of(context.state, context.own.index)) {
      tracing->resolved(burst);
    }
    for_each_bit(refused, [&](unsigned at) { divert(context, burst, at); });
    burst.remove(refused, burst.adjacencies, burst.rewrites);
  }
}

}  // namespace sekisho::forward
