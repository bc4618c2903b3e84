// SPDX-License-Identifier: BSD-3-Clause
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "dataplane/decide/frame.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"
#include "dataplane/packet/plain.hpp"
#include "dataplane/packet/plain_avx512.hpp"
#include "dataplane/packet/unfinished_checksum.hpp"
#include "dataplane/packet/vlan.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;

const bool sixteen_at_once = packet::have_avx512();
// Of fewer packets, sixteen lanes would wait for what locate() has only just stored, and gather the last packet again and again.
constexpr unsigned fewest_for_sixteen = 8;

// Where the frames lie, and how long they are. All of them are asked for before the first is looked at. The last one stands in
// for those that would make the number a multiple of sixteen. Returns whether each lies in one piece.
bool locate(Burst& burst) noexcept {
  std::uint32_t bytes = 0;
  std::uint32_t elsewhere = 0;
  for (unsigned at = 0; at < burst.count; ++at) {
    const rte_mbuf* const mbuf = burst.mbufs[at];
    std::uint8_t* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    rte_prefetch0(frame);
    burst.frames[at] = frame;
    burst.sizes[at] = mbuf->pkt_len;
    bytes += mbuf->pkt_len;
    elsewhere |= mbuf->pkt_len ^ mbuf->data_len;
  }
  for (unsigned at = burst.count; at % 16 != 0; ++at) {
    burst.frames[at] = burst.frames[at - 1];
    burst.sizes[at] = burst.sizes[at - 1];
  }
  burst.bytes = bytes;
  return elsewhere == 0;
}

bool four_in_one_piece(const Burst& burst, unsigned at) noexcept {
  return std::all_of(burst.mbufs + at, burst.mbufs + std::min(at + 4, burst.count),
                     [](const rte_mbuf* mbuf) { return mbuf->pkt_len == mbuf->data_len; });
}

bool four_long_enough(const Burst& burst, unsigned at) noexcept {
  const __m128i sizes = _mm_load_si128(reinterpret_cast<const __m128i*>(&burst.sizes[at]));
  return _mm_movemask_epi8(_mm_cmplt_epi32(sizes, _mm_set1_epi32(packet::plain_minimum))) == 0;
}

// Whether those from `at` on, each in one piece, are plain, and read.
bool read_four(const packet::PlainFrames& plain, Burst& burst, unsigned at) noexcept {
  return four_long_enough(burst, at) &&
         plain.read_four(&burst.frames[at], &burst.sizes[at], burst.headers, at);
}

// Those from `at` on as far as they are, by sixteens. Returns where the others begin.
unsigned read_sixteens(const packet::PlainFrames& plain, Burst& burst, unsigned at) noexcept {
  return static_cast<unsigned>(
      plain.read_sixteens(burst.frames.data(), burst.sizes.data(), burst.headers, at, burst.count));
}

// A frame that has one is an untagged one from here on.
[[gnu::cold]] void remove_priority_tag(Burst& burst, unsigned at) noexcept {
  packet::move_stations_over_tag(burst.frames[at]);
  burst.frames[at] = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_adj(burst.mbufs[at], packet::vlan_tag_size));
  burst.sizes[at] -= packet::vlan_tag_size;
  burst.bytes -= packet::vlan_tag_size;
}

// Without its tag a frame may be shorter than Ethernet's shortest. Of a valid one: before that, zeros would stand for what has not come.
[[gnu::cold]] void pad(Burst& burst, unsigned at) noexcept {
  if (burst.sizes[at] >= packet::ethernet_minimum) {
    return;
  }
  const auto missing = static_cast<std::uint16_t>(packet::ethernet_minimum - burst.sizes[at]);
  if (char* const end = rte_pktmbuf_append(burst.mbufs[at], missing)) {
    std::memset(end, 0, missing);
    burst.sizes[at] += missing;
    burst.bytes += missing;
  }
}

// Of a valid frame, what read_four() writes of a plain one, and why it is not plain.
void read_one(Burst& burst, unsigned at, std::size_t readable, const packet::OptionPolicy& options) noexcept {
  const packet::Ipv4View ip(burst.frames[at] + ethernet_header_size);
  burst.headers.sources[at] = ip.source();
  burst.headers.destinations[at] = ip.destination();
  burst.headers.lengths[at] = ip.total_length();
  burst.headers.hashes[at] = packet::flow_hash(packet::related_flow(ip, readable - ethernet_header_size));
  if (ip.ttl() <= 1) {
    burst.expiring |= bit(at);
  }
  if (burst.sizes[at] > packet::frame_size(ip.total_length())) {
    burst.trailed |= bit(at);
  }
  if (ip.header_size() > packet::ipv4_header_minimum && packet::examine_options(ip, options).to_fill) {
    burst.to_fill |= bit(at);
  }
}

// Of the first TCP or UDP packet that is there as a whole.
[[gnu::cold]] void look_at_checksum(const Context& context, const Burst& burst) noexcept {
  for (unsigned at = 0; at < burst.count; ++at) {
    const packet::Ipv4View ip(burst.frames[at] + ethernet_header_size);
    if (ip.protocol() == packet::Protocol::tcp || ip.protocol() == packet::Protocol::udp) {
      context.own.look_closer = false;
      const std::size_t readable = burst.mbufs[at]->data_len - ethernet_header_size;
      if (packet::has_unfinished_checksum(ip, readable)) {
        context.own.counters.ports[context.ingress.port].unfinished_checksums.add(1);
      }
      return;
    }
  }
}

}  // namespace

void validate(const Context& context, Burst& burst) noexcept {
  const RxQueue& ingress = context.ingress;
  const bool in_one_piece = locate(burst);
  const bool by_sixteen = in_one_piece && sixteen_at_once && burst.count >= fewest_for_sixteen;
  auto& counted = context.own.counters.ports[ingress.port];
  (ingress.generated ? counted.generated : counted.rx).add(burst.count, burst.bytes);
  const packet::PlainFrames plain(ingress.station);
  PacketMask refused = 0;
  for (unsigned four = 0; four < burst.count; four += 4) {
    if (by_sixteen && four % 16 == 0) {
      four = read_sixteens(plain, burst, four);
      if (four >= burst.count) {
        break;
      }
    }
    if ((in_one_piece || four_in_one_piece(burst, four)) && read_four(plain, burst, four)) [[likely]] {
      continue;
    }
    for (unsigned at = four; at < std::min(four + 4, burst.count); ++at) {
      const bool was_tagged = packet::has_priority_tag(burst.frames[at], burst.mbufs[at]->data_len);
      if (was_tagged) {
        remove_priority_tag(burst, at);
      }
      const std::uint32_t readable = burst.mbufs[at]->data_len;
      if (const auto verdict =
              decide::judge_frame(burst.frames[at], readable, burst.sizes[at], ingress.station,
                                  context.state.host[ingress.port], context.state.options)) {
        context.diverted.add(burst.mbufs[at], *verdict);
        refused |= bit(at);
      } else {
        if (was_tagged) {
          pad(burst, at);
        }
        read_one(burst, at, readable, context.state.options);
      }
    }
  }
  if (refused != 0) [[unlikely]] {
    burst.remove(refused, burst.headers.sources, burst.headers.destinations, burst.headers.hashes);
  }
  if (context.own.look_closer && !ingress.generated) [[unlikely]] {
    look_at_checksum(context, burst);
  }
}

}  // namespace sekisho::forward
