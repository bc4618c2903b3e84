// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/pipeline.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <optional>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/drops.hpp"
#include "dataplane/forward/group.hpp"
#include "dataplane/forward/split.hpp"
#include "dataplane/forward/tally.hpp"
#include "dataplane/forward/transmit.hpp"
#include "dataplane/forward/validate.hpp"
#include "dataplane/forward/verdict.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"

// For bench/, which builds this file once more with a clock in it.
#ifndef SEKISHO_STAGE_ENDS
#define SEKISHO_STAGE_ENDS(stage)
#endif

namespace sekisho::forward {
namespace {

class Pipeline {
 public:
  Pipeline(const ForwardingState& state, WorkerCounters& counters, Wanted& wanted, unsigned worker,
           const RxQueue& ingress) noexcept
      : state_(state),
        counters_(counters),
        wanted_(wanted),
        worker_(worker),
        ingress_(ingress),
        drops_(state, ingress.port) {}

  void run(std::span<rte_mbuf*> received) noexcept {
    burst_.mbufs = received.data();
    burst_.count = static_cast<unsigned>(received.size());
    validate();
    SEKISHO_STAGE_ENDS(validate);
    admit();
    SEKISHO_STAGE_ENDS(admit);
    route();
    SEKISHO_STAGE_ENDS(route);
    resolve();
    SEKISHO_STAGE_ENDS(resolve);
    rewrite();
    SEKISHO_STAGE_ENDS(rewrite);
    transmit(state_, counters_, worker_, burst_, drops_);
    drops_.settle(counters_.ports[ingress_.port]);
    SEKISHO_STAGE_ENDS(transmit);
  }

 private:
  void validate() noexcept;
  void admit() noexcept;
  void route() noexcept;
  void resolve() noexcept;
  template <typename Count>
  [[nodiscard]] PacketMask choose(Count count_packet) noexcept;
  void rewrite() noexcept;

  void look_up(ZoneIndex zone, const std::uint32_t* destinations, fib::NextHopIndex* next_hops,
               unsigned count) const noexcept;
  [[nodiscard]] DropReason refusal_at_egress(unsigned at) const noexcept;
  void refuse_at_egress(unsigned at) noexcept;
  [[nodiscard]] PacketMask packets_to(unsigned port) const noexcept;

  const ForwardingState& state_;
  WorkerCounters& counters_;
  Wanted& wanted_;
  const unsigned worker_;
  const RxQueue& ingress_;
  Burst burst_;
  Drops drops_;
  bool one_zone_ = false;  // all packets' sources are of the same one
};

void Pipeline::validate() noexcept {
  const unsigned received = burst_.count;
  auto& port = counters_.ports[ingress_.port];
  (ingress_.generated ? port.generated : port.rx).add(received, forward::validate(ingress_, burst_, drops_));
}

void Pipeline::admit() noexcept {
  state_.sources->lookup_bulk(burst_.headers.sources.data(), burst_.zones.data(), burst_.count);
  one_zone_ = alike(burst_.zones, burst_.count);
  if (one_zone_ && !refusal_of_source(state_, burst_.zones[0], ingress_.port)) [[likely]] {
    counters_.zones[burst_.zones[0]].add(burst_.count, burst_.bytes);
    return;
  }
  PacketMask refused = 0;
  for (unsigned at = 0; at < burst_.count; ++at) {
    if (const auto reason = refusal_of_source(state_, burst_.zones[at], ingress_.port)) [[unlikely]] {
      drops_.add(burst_.mbufs[at], *reason);
      refused |= bit(at);
    }
  }
  if (refused != 0) {
    burst_.remove(refused, burst_.headers.destinations, burst_.headers.hashes, burst_.zones);
    one_zone_ = alike(burst_.zones, burst_.count);
  }
  tally(counters_.zones, burst_.zones, burst_.sizes, burst_.count, burst_.bytes);
}

void Pipeline::look_up(ZoneIndex zone, const std::uint32_t* destinations, fib::NextHopIndex* next_hops,
                       unsigned count) const noexcept {
  if (const fib::Fib* const table = state_.zones[zone].table; table != nullptr) [[likely]] {
    table->lookup_bulk(destinations, next_hops, count);
  } else {
    std::fill_n(next_hops, count, fib::no_route);
  }
}

void Pipeline::route() noexcept {
  const auto& destinations = burst_.headers.destinations;
  if (one_zone_) [[likely]] {
    look_up(burst_.zones[0], destinations.data(), burst_.next_hops.data(), burst_.count);
  } else {
    for_each_group(burst_.zones, burst_.count, [&](ZoneIndex zone, std::span<const std::uint8_t> positions) {
      std::array<std::uint32_t, burst_capacity> addresses;
      std::array<fib::NextHopIndex, burst_capacity> next_hops;
      for (std::size_t i = 0; i < positions.size(); ++i) {
        addresses[i] = destinations[positions[i]];
      }
      look_up(zone, addresses.data(), next_hops.data(), static_cast<unsigned>(positions.size()));
      for (std::size_t i = 0; i < positions.size(); ++i) {
        burst_.next_hops[positions[i]] = next_hops[i];
      }
    });
  }
}

void Pipeline::resolve() noexcept {
  PacketMask refused = burst_.expiring;
  if (alike(burst_.next_hops, burst_.count)) {
    counters_.next_hops[burst_.next_hops[0]].add(burst_.count, burst_.bytes);
    refused |= choose([](unsigned) noexcept {});
  } else {
    refused |= choose(
        [this](unsigned at) noexcept { counters_.next_hops[burst_.next_hops[at]].add(1, burst_.sizes[at]); });
  }
  for_each_bit(burst_.egress, [&](unsigned port) {
    if (!runs(state_.ports[port], worker_)) [[unlikely]] {
      refused |= packets_to(port);
    }
  });
  if (refused != 0) [[unlikely]] {
    for_each_bit(refused, [this](unsigned at) { refuse_at_egress(at); });
    burst_.remove(refused, burst_.adjacencies, burst_.rewrites);
  }
}

// An adjacency for each packet. Returns which packets their adjacencies do not take. Packets are counted by the way: a loop of its own
// would read the same again.
template <typename Count>
PacketMask Pipeline::choose(Count count_packet) noexcept {
  const fib::NextHopTable& next_hops = *state_.next_hops;
  PacketMask refused = 0;
  PortMask egress = 0;
  for (unsigned at = 0; at < burst_.count; ++at) {
    const fib::NextHop& next_hop = next_hops.next_hop(burst_.next_hops[at]);
    const fib::AdjacencyIndex index = next_hop.choose(burst_.headers.hashes[at]);
    const fib::Adjacency& adjacency = next_hops.adjacency(index);
    burst_.adjacencies[at] = index;
    burst_.rewrites[at] = &adjacency;
    count_packet(at);
    egress |= adjacency.port_bit;
    if (burst_.headers.lengths[at] > adjacency.mtu) [[unlikely]] {
      refused |= bit(at);
    }
  }
  burst_.egress = egress;
  return refused;
}

PacketMask Pipeline::packets_to(unsigned port) const noexcept {
  PacketMask packets = 0;
  for (unsigned at = 0; at < burst_.count; ++at) {
    packets |= PacketMask{burst_.rewrites[at]->port == port} << at;
  }
  return packets;
}

// Of a packet that is not forwarded, the first reason.
DropReason Pipeline::refusal_at_egress(unsigned at) const noexcept {
  if (const auto reason = refusal(state_, *burst_.rewrites[at], worker_)) {
    return *reason;
  }
  // RFC 1812, 5.3.1: "When a router forwards a packet, it MUST reduce the TTL by at least one. [...] If the
  // TTL is reduced to zero (or less), the packet MUST be discarded".
  return (burst_.expiring & bit(at)) != 0 ? DropReason::ttl_expired : DropReason::mtu_exceeded;
}

void Pipeline::refuse_at_egress(unsigned at) noexcept {
  if (burst_.rewrites[at]->action == fib::Action::connected) {
    wanted_.note(burst_.headers.destinations[at]);
  }
  drops_.add(burst_.mbufs[at], refusal_at_egress(at));
}

// Takes off what follows the first `size` bytes, in whatever segment it begins.
void trim(rte_mbuf* mbuf, std::uint32_t size) noexcept {
  mbuf->pkt_len = size;
  mbuf->nb_segs = 1;
  rte_mbuf* last = mbuf;
  while (size > last->data_len) {
    size -= last->data_len;
    last = last->next;
    ++mbuf->nb_segs;
  }
  last->data_len = static_cast<std::uint16_t>(size);
  rte_pktmbuf_free(last->next);
  last->next = nullptr;
}

void Pipeline::rewrite() noexcept {
  // A trailer is not part of the datagram, and with it the frame may be longer than the MTU test has seen.
  for_each_bit(burst_.trailed, [this](unsigned at) {
    burst_.bytes -= burst_.sizes[at];
    burst_.sizes[at] = packet::frame_size(burst_.headers.lengths[at]);
    burst_.bytes += burst_.sizes[at];
    trim(burst_.mbufs[at], burst_.sizes[at]);
  });
  const unsigned count = burst_.count;  // for the compiler, the bytes of a frame might be burst_'s own
  for (unsigned at = 0; at < count; ++at) {
    std::uint8_t* const frame = burst_.frames[at];
    packet::decrement_ttl(frame + packet::ethernet_header_size);
    packet::rewrite_ethernet(frame, burst_.rewrites[at]->ethernet);
  }
}

}  // namespace

void forward_burst(const ForwardingState& state, WorkerCounters& counters, Wanted& wanted, unsigned worker,
                   const RxQueue& ingress, std::span<rte_mbuf*> received) noexcept {
  Pipeline(state, counters, wanted, worker, ingress).run(received);
}

}  // namespace sekisho::forward
