#include "dataplane/forward/pipeline.hpp"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <optional>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/drops.hpp"
#include "dataplane/forward/group.hpp"
#include "dataplane/forward/tally.hpp"
#include "dataplane/forward/to_host.hpp"
#include "dataplane/forward/transmit.hpp"
#include "dataplane/forward/verdict.hpp"
#include "dataplane/packet/address.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;

// How many packets ahead the first line of the data is asked for.
constexpr unsigned prefetch_ahead = 8;

std::uint8_t* frame_of(rte_mbuf* mbuf) noexcept {
  return rte_pktmbuf_mtod(mbuf, std::uint8_t*);
}

packet::Ipv4View ipv4_of(rte_mbuf* mbuf) noexcept {
  return packet::Ipv4View(frame_of(mbuf) + ethernet_header_size);
}

// A port without a MAC address (net_ring, net_null) takes what it is given.
bool is_station(const fib::MacAddress& address) noexcept {
  return address != fib::MacAddress{};
}

std::optional<DropReason> check(const std::uint8_t* frame, std::size_t readable, std::size_t arrived,
                                const RxQueue& ingress) noexcept {
  if (readable < ethernet_header_size) [[unlikely]] {
    return DropReason::frame_too_short;
  }
  const packet::EthernetView ethernet(frame);
  // A bridge floods frames for stations that it has not learned yet. Forwarding what is meant for another one
  // would duplicate the packet.
  if (!ethernet.to(ingress.station) && is_station(ingress.station) && !ethernet.to_group()) [[unlikely]] {
    return DropReason::other_station;
  }
  if (ethernet.type() != packet::EtherType::ipv4) [[unlikely]] {
    return reason_of(ethernet.type());
  }
  const std::uint8_t* const header = frame + ethernet_header_size;
  const auto fault =
      packet::validate_ipv4(header, readable - ethernet_header_size, arrived - ethernet_header_size);
  if (fault != packet::HeaderFault::none) [[unlikely]] {
    return reason_of(fault);
  }
  const packet::Ipv4View ip(header);
  const auto address_fault = packet::check_addresses(ip.source(), ip.destination());
  if (address_fault != packet::AddressFault::none) [[unlikely]] {
    return reason_of(address_fault);
  }
  // RFC 1812, 5.3.4: "A router MUST NOT forward any packet that the router received as a Link Layer
  // broadcast, unless it is directed to an IP Multicast address."
  if (ethernet.to_group()) [[unlikely]] {
    return DropReason::link_broadcast;
  }
  if (ip.header_size() > packet::ipv4_header_minimum && packet::has_source_route(ip)) [[unlikely]] {
    return DropReason::source_route;
  }
  return std::nullopt;
}

class Pipeline {
 public:
  Pipeline(const ForwardingState& state, WorkerCounters& counters, unsigned worker,
           const RxQueue& ingress) noexcept
      : state_(state),
        counters_(counters),
        worker_(worker),
        ingress_(ingress),
        to_host_(state, ingress.port) {}

  void run(std::span<rte_mbuf* const> received) noexcept {
    validate(received);
    admit();
    route();
    resolve();
    rewrite();
    transmit(state_, counters_, worker_, burst_, drops_);
    to_host_.settle(counters_.ports[ingress_.port], drops_);
    drops_.settle(counters_.ports[ingress_.port]);
  }

 private:
  void validate(std::span<rte_mbuf* const> received) noexcept;
  void admit() noexcept;
  void route() noexcept;
  void resolve() noexcept;
  void rewrite() noexcept;

  void set_aside(rte_mbuf* mbuf, DropReason reason) noexcept {
    if (const auto death = to_host_.take(mbuf, reason)) {
      drops_.add(mbuf, *death);
    }
  }

  const ForwardingState& state_;
  WorkerCounters& counters_;
  const unsigned worker_;
  const RxQueue& ingress_;
  Burst burst_;
  Drops drops_;
  ToHost to_host_;
};

void Pipeline::validate(std::span<rte_mbuf* const> received) noexcept {
  const auto total = static_cast<unsigned>(received.size());
  for (unsigned at = 0; at < std::min(prefetch_ahead, total); ++at) {
    rte_prefetch0(frame_of(received[at]));
  }
  std::uint64_t all_bytes = 0;
  unsigned kept = 0;
  for (unsigned at = 0; at < total; ++at) {
    if (at + prefetch_ahead < total) {
      rte_prefetch0(frame_of(received[at + prefetch_ahead]));
    }
    rte_mbuf* const mbuf = received[at];
    all_bytes += mbuf->pkt_len;
    const std::uint8_t* const frame = frame_of(mbuf);
    if (const auto reason = check(frame, mbuf->data_len, mbuf->pkt_len, ingress_)) {
      set_aside(mbuf, *reason);
      continue;
    }
    const packet::Ipv4View ip(frame + ethernet_header_size);
    burst_.mbufs[kept] = mbuf;
    burst_.bytes[kept] = mbuf->pkt_len;
    burst_.sources[kept] = ip.source();
    burst_.destinations[kept] = ip.destination();
    ++kept;
  }
  burst_.count = kept;
  auto& port = counters_.ports[ingress_.port];
  (ingress_.generated ? port.generated : port.rx).add(total, all_bytes);
}

void Pipeline::admit() noexcept {
  state_.sources->lookup_bulk(burst_.sources.data(), burst_.zones.data(), burst_.count);
  Tally tally(counters_.zones);
  unsigned kept = 0;
  for (unsigned at = 0; at < burst_.count; ++at) {
    const ZoneIndex zone = burst_.zones[at];
    if (!is_zone(zone)) [[unlikely]] {
      set_aside(burst_.mbufs[at], DropReason::unknown_source);
      continue;
    }
    if (!may_carry(state_.zones[zone], ingress_.port)) [[unlikely]] {
      set_aside(burst_.mbufs[at], DropReason::spoofed_source);
      continue;
    }
    tally.count(zone, burst_.bytes[at]);
    burst_.mbufs[kept] = burst_.mbufs[at];
    burst_.bytes[kept] = burst_.bytes[at];
    burst_.destinations[kept] = burst_.destinations[at];
    burst_.zones[kept] = zone;
    ++kept;
  }
  burst_.count = kept;
}

void Pipeline::route() noexcept {
  for_each_group(burst_.zones, burst_.count, [this](ZoneIndex zone, std::span<const std::uint8_t> positions) {
    const fib::Fib* const table = state_.zones[zone].table;
    if (table == nullptr) [[unlikely]] {
      for (const unsigned at : positions) {
        burst_.next_hops[at] = fib::no_route;
      }
      return;
    }
    if (positions.size() == burst_.count) {
      table->lookup_bulk(burst_.destinations.data(), burst_.next_hops.data(), burst_.count);
      return;
    }
    std::array<std::uint32_t, burst_capacity> destinations;
    std::array<fib::NextHopIndex, burst_capacity> next_hops;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      destinations[i] = burst_.destinations[positions[i]];
    }
    table->lookup_bulk(destinations.data(), next_hops.data(), static_cast<unsigned>(positions.size()));
    for (std::size_t i = 0; i < positions.size(); ++i) {
      burst_.next_hops[positions[i]] = next_hops[i];
    }
  });
  Tally tally(counters_.next_hops);
  for (unsigned at = 0; at < burst_.count; ++at) {
    tally.count(burst_.next_hops[at], burst_.bytes[at]);
  }
}

void Pipeline::resolve() noexcept {
  unsigned kept = 0;
  for (unsigned at = 0; at < burst_.count; ++at) {
    rte_mbuf* const mbuf = burst_.mbufs[at];
    const packet::Ipv4View ip = ipv4_of(mbuf);
    const fib::NextHop& next_hop = state_.next_hops->next_hop(burst_.next_hops[at]);
    std::uint32_t hash = 0;
    if (next_hop.mask != 0) {
      hash = packet::flow_hash(packet::flow_of(ip, mbuf->data_len - ethernet_header_size));
    }
    const fib::AdjacencyIndex index = next_hop.choose(hash);
    const fib::Adjacency& adjacency = state_.next_hops->adjacency(index);
    std::optional<DropReason> reason = refusal(state_, adjacency, worker_);
    // RFC 1812, 5.3.1: "When a router forwards a packet, it MUST reduce the TTL by at least one. [...] If the
    // TTL is reduced to zero (or less), the packet MUST be discarded".
    if (!reason && ip.ttl() <= 1) [[unlikely]] {
      reason = DropReason::ttl_expired;
    }
    if (!reason && ip.total_length() > adjacency.mtu) [[unlikely]] {
      reason = DropReason::mtu_exceeded;
    }
    if (reason) [[unlikely]] {
      set_aside(mbuf, *reason);
      continue;
    }
    burst_.mbufs[kept] = mbuf;
    burst_.bytes[kept] = burst_.bytes[at];
    burst_.adjacencies[kept] = index;
    burst_.rewrites[kept] = &adjacency;
    burst_.egress[kept] = adjacency.port;
    ++kept;
  }
  burst_.count = kept;
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
  for (unsigned at = 0; at < burst_.count; ++at) {
    rte_mbuf* const mbuf = burst_.mbufs[at];
    std::uint8_t* const frame = frame_of(mbuf);
    const std::uint8_t* const header = frame + ethernet_header_size;
    // A trailer is not part of the datagram, and with it the frame may be longer than the MTU test has seen.
    const std::uint32_t size = std::max<std::uint32_t>(
        ethernet_header_size + packet::Ipv4View(header).total_length(), packet::ethernet_minimum);
    if (mbuf->pkt_len > size) [[unlikely]] {
      trim(mbuf, size);
      burst_.bytes[at] = size;
    }
    packet::decrement_ttl(frame + ethernet_header_size);
    packet::rewrite_ethernet(frame, burst_.rewrites[at]->ethernet);
  }
}

}  // namespace

void forward_burst(const ForwardingState& state, WorkerCounters& counters, unsigned worker,
                   const RxQueue& ingress, std::span<rte_mbuf* const> received) noexcept {
  Pipeline(state, counters, worker, ingress).run(received);
}

}  // namespace sekisho::forward
