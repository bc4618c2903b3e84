// SPDX-License-Identifier: BSD-3-Clause
// A packet that is too long for the port where it has to go, and may be divided: RFC 791, 3.2.
//
// The fragments are copies in buffers of their own, each in one piece: an AF_XDP port sends no other, and the copies need no buffer to
// be shared. So a fragment is never longer than a buffer, also where the port would take longer ones.
#define ALLOW_EXPERIMENTAL_API  // the copying variant
#include <rte_ip_frag.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <span>
#include <tl/expected.hpp>

#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/trim.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;
using Fragments = std::array<rte_mbuf*, decide::max_fragments>;

// Of what one buffer takes behind the room for Ethernet's header. rte_ip_frag holds its room against the data alone.
std::uint16_t longest_in_one_buffer(rte_mempool* pool) noexcept {
  return static_cast<std::uint16_t>(rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM);
}

// may_be_fragmented() has counted on it.
static_assert(decide::longest_fragment == RTE_MBUF_DEFAULT_DATAROOM);

// The datagram's, which lies at the beginning of `packet`; or why there are none.
tl::expected<std::span<rte_mbuf*>, DropReason> divide(rte_mbuf& packet, std::uint16_t mtu,
                                                      Fragments& room) noexcept {
  const auto longest = std::min(mtu, longest_in_one_buffer(packet.pool));
  const auto count =
      rte_ipv4_fragment_copy_nonseg_packet(&packet, room.data(), decide::max_fragments, longest, packet.pool);
  if (count <= 0) {
    return tl::unexpected(count == -ENOMEM ? DropReason::no_buffer : DropReason::mtu_exceeded);
  }
  const std::span fragments{room.data(), static_cast<std::size_t>(count)};
  for (rte_mbuf* const fragment : fragments) {
    packet::set_header_checksum(rte_pktmbuf_mtod(fragment, std::uint8_t*));
  }
  return fragments;
}

// Returns the frame's size.
std::uint32_t put_header(rte_mbuf* fragment, const nexthop::Adjacency& adjacency) noexcept {
  const std::uint32_t size = packet::frame_size(fragment->pkt_len);
  auto* const frame = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_prepend(fragment, ethernet_header_size));
  packet::rewrite_stations(frame, adjacency.stations);
  packet::store_be16(frame + 12, static_cast<std::uint16_t>(packet::EtherType::ipv4));
  const auto missing = static_cast<std::uint16_t>(size - fragment->pkt_len);
  std::memset(rte_pktmbuf_append(fragment, missing), 0, missing);
  return size;
}

void transmit_all(const Context& context, std::span<rte_mbuf*> fragments, nexthop::AdjacencyIndex index,
                  const nexthop::Adjacency& adjacency) noexcept {
  auto& egress = context.own.counters.ports[adjacency.port];
  std::array<std::uint32_t, decide::max_fragments> sizes;
  for (std::size_t at = 0; at < fragments.size(); ++at) {
    sizes[at] = put_header(fragments[at], adjacency);
  }
  const auto bytes_of = [&](std::size_t begin, std::size_t end) {
    return std::accumulate(sizes.begin() + begin, sizes.begin() + end, std::uint64_t{0});
  };
  egress.generated.add(fragments.size() - 1, bytes_of(1, fragments.size()));
  const unsigned sent = send(context.state, context.own.index, adjacency.port,
                             context.state.ports[adjacency.port].dpdk_port, fragments);
  egress.tx.add(sent, bytes_of(0, sent));
  context.own.counters.adjacencies[index].add(sent, bytes_of(0, sent));
  const auto unsent = fragments.subspan(sent);
  context.own.counters.ports[context.ingress.port]
      .drops[static_cast<std::size_t>(DropReason::transmit_full)]
      .add(unsent.size());
  rte_pktmbuf_free_bulk(unsent.data(), static_cast<unsigned>(unsent.size()));
}

void give_all(const Context& context, std::span<rte_mbuf*> fragments) noexcept {
  auto& ingress = context.own.counters.ports[context.ingress.port];
  std::uint64_t bytes = 0;
  for (rte_mbuf* const fragment : fragments) {
    fragment->packet_type = RTE_PTYPE_L3_IPV4;
    bytes += fragment->pkt_len;
  }
  ingress.generated.add(fragments.size() - 1, bytes - fragments[0]->pkt_len);
  const unsigned queued = rte_ring_enqueue_burst(context.state.host[context.ingress.port].ring,
                                                 reinterpret_cast<void**>(fragments.data()),
                                                 static_cast<unsigned>(fragments.size()), nullptr);
  const auto left = fragments.subspan(queued);
  ingress.host.add(queued);
  ingress.drops[static_cast<std::size_t>(DropReason::host_full)].add(left.size());
  rte_pktmbuf_free_bulk(left.data(), static_cast<unsigned>(left.size()));
}

}  // namespace

void send_in_fragments(const Context& context, const Burst& burst, unsigned at, Verdict::Kind kind) noexcept {
  const bool to_exit = kind == Verdict::Kind::to_exit_in_fragments;
  const nexthop::Adjacency& adjacency = *burst.rewrites[at];
  rte_mbuf* const whole = burst.mbufs[at];
  trim(whole, packet::frame_size(burst.headers.lengths[at]));
  // Where it leaves by the exit the kernel fills: that is its hop.
  if ((burst.to_fill & bit(at)) != 0 && !to_exit) {
    fill_one(context, burst, at, adjacency.port);
  }
  packet::decrement_ttl(burst.frames[at] + ethernet_header_size);
  rte_pktmbuf_adj(whole, ethernet_header_size);
  Fragments room;
  const std::uint16_t mtu = to_exit ? context.state.exit_mtu : adjacency.mtu;
  const auto divided = divide(*whole, mtu, room);
  if (!divided) {
    rte_pktmbuf_prepend(whole, ethernet_header_size);  // it is still there
    context.diverted.add(whole, divided.error() == DropReason::mtu_exceeded ? Verdict::too_long(mtu)
                                                                            : Verdict{divided.error()});
    return;
  }
  const auto fragments = *divided;
  if (auto* const tracing = tracing_of(context.state, context.own.index)) {
    tracing->decided(whole, to_exit ? Verdict::to_exit_in_fragments() : Verdict::forward_in_fragments());
  }
  rte_pktmbuf_free(whole);
  auto& ingress = context.own.counters.ports[context.ingress.port];
  ingress.fragmented.add(1);
  ingress.fragments.add(fragments.size());
  if (to_exit) {
    give_all(context, fragments);
  } else {
    transmit_all(context, fragments, burst.adjacencies[at], adjacency);
  }
}

}  // namespace sekisho::forward
