// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/decide/verdict.hpp"
#include "dataplane/forward/split.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::forward {
namespace {

// An adjacency for each packet. Returns which packets their adjacencies do not take. Packets are counted by the way: a loop of its own
// would read the same again.
template <typename Count>
PacketMask choose(const nexthop::NextHopTable& next_hops, Burst& burst, Count count_packet) noexcept {
  PacketMask refused = 0;
  PortMask egress = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    const nexthop::NextHop& next_hop = next_hops.next_hop(NextHopIndex{burst.next_hops[at]});
    const nexthop::AdjacencyIndex index = next_hop.choose(burst.headers.hashes[at]);
    const nexthop::Adjacency& adjacency = next_hops.adjacency(index);
    burst.adjacencies[at] = index;
    burst.rewrites[at] = &adjacency;
    count_packet(at);
    egress |= adjacency.port_bit;
    if (burst.headers.lengths[at] > adjacency.mtu) [[unlikely]] {
      refused |= bit(at);
    }
  }
  burst.egress = egress;
  return refused;
}

PacketMask packets_to(unsigned port, const Burst& burst) noexcept {
  PacketMask packets = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    packets |= PacketMask{burst.rewrites[at]->port == port} << at;
  }
  return packets;
}

void divert(const Context& context, const Burst& burst, unsigned at) noexcept {
  const nexthop::Adjacency& adjacency = *burst.rewrites[at];
  if (adjacency.action == Action::connected) {
    context.wanted.note(burst.headers.destinations[at]);
  }
  const packet::Ipv4View ip(burst.frames[at] + packet::ethernet_header_size);
  const auto ways = decide::ways_to_kernel(context.state.host[context.ingress.port], context.state.exit_mtu);
  context.diverted.add(burst.mbufs[at], decide::at_egress(egress_of(context.state, adjacency, context.worker),
                                                          ways, ip.ttl(), burst.headers.lengths[at]));
}

}  // namespace

void resolve(const Context& context, Burst& burst) noexcept {
  const auto& next_hops = *context.state.next_hops;
  auto& counted = context.counters.next_hops;
  PacketMask refused = burst.expiring;
  if (alike(burst.next_hops, burst.count)) {
    counted[burst.next_hops[0]].add(burst.count, burst.bytes);
    refused |= choose(next_hops, burst, [](unsigned) noexcept {});
  } else {
    refused |= choose(next_hops, burst,
                      [&](unsigned at) noexcept { counted[burst.next_hops[at]].add(1, burst.sizes[at]); });
  }
  for_each_bit(burst.egress, [&](unsigned port) {
    if (!runs(context.state.ports[port], context.worker)) [[unlikely]] {
      refused |= packets_to(port, burst);
    }
  });
  if (refused != 0) [[unlikely]] {
    for_each_bit(refused, [&](unsigned at) { divert(context, burst, at); });
    burst.remove(refused, burst.adjacencies, burst.rewrites);
  }
}

}  // namespace sekisho::forward
