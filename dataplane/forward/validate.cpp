#include "dataplane/forward/validate.hpp"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <optional>

#include "dataplane/forward/verdict.hpp"
#include "dataplane/packet/address.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"
#include "dataplane/packet/plain.hpp"
#include "dataplane/packet/plain_avx512.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;

const bool sixteen_at_once = packet::have_avx512();

// How many bytes of each frame lie in its first segment.
using Readable = std::array<std::uint32_t, burst_capacity>;

// Where the frames lie. All of them are asked for before the first is looked at. The last one stands in for those
// that would make the number a multiple of sixteen. Returns the bytes of all.
std::uint64_t locate(Burst& burst, Readable& readable) noexcept {
  std::uint64_t bytes = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    rte_mbuf* const mbuf = burst.mbufs[at];
    std::uint8_t* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    rte_prefetch0(frame);
    burst.frames[at] = frame;
    burst.sizes[at] = mbuf->pkt_len;
    readable[at] = mbuf->data_len;
    bytes += mbuf->pkt_len;
  }
  for (unsigned at = burst.count; at % 16 != 0; ++at) {
    burst.frames[at] = burst.frames[at - 1];
    burst.sizes[at] = burst.sizes[at - 1];
    readable[at] = readable[at - 1];
  }
  return bytes;
}

bool four_in_one_piece(const std::uint32_t* sizes, const std::uint32_t* readable) noexcept {
  const __m128i size = _mm_load_si128(reinterpret_cast<const __m128i*>(sizes));
  const __m128i here = _mm_load_si128(reinterpret_cast<const __m128i*>(readable));
  const __m128i enough = _mm_cmpgt_epi32(here, _mm_set1_epi32(packet::plain_minimum - 1));
  return _mm_test_all_ones(_mm_and_si128(_mm_cmpeq_epi32(size, here), enough)) != 0;
}

// Whether those from `at` on are plain, and read.
bool read_four(const packet::PlainFrames& plain, Burst& burst, const Readable& readable,
               unsigned at) noexcept {
  return four_in_one_piece(&burst.sizes[at], &readable[at]) &&
         plain.read_four(&burst.frames[at], &burst.sizes[at], burst.headers, at);
}

bool read_sixteen(const packet::PlainFrames& plain, Burst& burst, const Readable& readable,
                  unsigned at) noexcept {
  if (!sixteen_at_once) {
    return false;
  }
  for (unsigned four = at; four < at + 16; four += 4) {
    if (!four_in_one_piece(&burst.sizes[four], &readable[four])) [[unlikely]] {
      return false;
    }
  }
  return plain.read_sixteen(&burst.frames[at], &burst.sizes[at], burst.headers, at);
}

// A port without a MAC address (net_ring, net_null) takes what it is given.
bool is_station(const fib::MacAddress& address) noexcept {
  return address != fib::MacAddress{};
}

std::optional<DropReason> fault_of(const std::uint8_t* frame, std::size_t readable, std::size_t arrived,
                                   const RxQueue& ingress) noexcept {
  if (readable < ethernet_header_size) {
    return DropReason::frame_too_short;
  }
  const packet::EthernetView ethernet(frame);
  // A bridge floods frames for stations that it has not learned yet. Forwarding what is meant for another one
  // would duplicate the packet.
  if (!ethernet.to(ingress.station) && is_station(ingress.station) && !ethernet.to_group()) {
    return DropReason::other_station;
  }
  if (ethernet.type() != packet::EtherType::ipv4) {
    return reason_of(ethernet.type());
  }
  const std::uint8_t* const header = frame + ethernet_header_size;
  const auto fault =
      packet::validate_ipv4(header, readable - ethernet_header_size, arrived - ethernet_header_size);
  if (fault != packet::HeaderFault::none) {
    return reason_of(fault);
  }
  const packet::Ipv4View ip(header);
  const auto address_fault = packet::check_addresses(ip.source(), ip.destination());
  if (address_fault != packet::AddressFault::none) {
    return reason_of(address_fault);
  }
  // RFC 1812, 5.3.4: "A router MUST NOT forward any packet that the router received as a Link Layer
  // broadcast, unless it is directed to an IP Multicast address."
  if (ethernet.to_group()) {
    return DropReason::link_broadcast;
  }
  if (ip.header_size() > packet::ipv4_header_minimum && packet::has_source_route(ip)) {
    return DropReason::source_route;
  }
  return std::nullopt;
}

// Of a valid frame, what read_four() writes of a plain one, and why it is not plain.
void read_one(Burst& burst, unsigned at, std::size_t readable) noexcept {
  const packet::Ipv4View ip(burst.frames[at] + ethernet_header_size);
  const packet::Flow flow = packet::flow_of(ip, readable - ethernet_header_size);
  burst.headers.sources[at] = flow.source;
  burst.headers.destinations[at] = flow.destination;
  burst.headers.lengths[at] = ip.total_length();
  burst.headers.senders[at] = packet::flow_end(flow.source, flow.source_port, flow.protocol);
  burst.headers.receivers[at] = packet::flow_end(flow.destination, flow.destination_port, flow.protocol);
  if (ip.ttl() <= 1) {
    burst.expiring |= bit(at);
  }
  if (burst.sizes[at] > packet::frame_size(ip.total_length())) {
    burst.trailed |= bit(at);
  }
}

}  // namespace

std::uint64_t validate(const RxQueue& ingress, Burst& burst, Drops& drops) noexcept {
  alignas(16) Readable readable;
  const std::uint64_t bytes = locate(burst, readable);
  const packet::PlainFrames plain(ingress.station);
  PacketMask refused = 0;
  for (unsigned four = 0; four < burst.count; four += 4) {
    if (four % 16 == 0 && read_sixteen(plain, burst, readable, four)) [[likely]] {
      four += 16 - 4;
      continue;
    }
    if (read_four(plain, burst, readable, four)) [[likely]] {
      continue;
    }
    for (unsigned at = four; at < std::min(four + 4, burst.count); ++at) {
      if (const auto reason = fault_of(burst.frames[at], readable[at], burst.sizes[at], ingress)) {
        drops.add(burst.mbufs[at], *reason);
        refused |= bit(at);
      } else {
        read_one(burst, at, readable[at]);
      }
    }
  }
  if (refused != 0) [[unlikely]] {
    burst.remove(refused, burst.headers.sources, burst.headers.destinations, burst.headers.senders,
                 burst.headers.receivers);
  }
  return bytes;
}

}  // namespace sekisho::forward
