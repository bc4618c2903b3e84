// SPDX-License-Identifier: BSD-3-Clause
#include <rte_mbuf.h>

#include "dataplane/forward/stages.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"

namespace sekisho::forward {
namespace {

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

}  // namespace

void rewrite(Burst& burst) noexcept {
  // A trailer is not part of the datagram, and with it the frame may be longer than the MTU test has seen.
  for_each_bit(burst.trailed, [&burst](unsigned at) {
    burst.bytes -= burst.sizes[at];
    burst.sizes[at] = packet::frame_size(burst.headers.lengths[at]);
    burst.bytes += burst.sizes[at];
    trim(burst.mbufs[at], burst.sizes[at]);
  });
  const unsigned count = burst.count;  // for the compiler, the bytes of a frame might be the burst's own
  for (unsigned at = 0; at < count; ++at) {
    std::uint8_t* const frame = burst.frames[at];
    packet::decrement_ttl(frame + packet::ethernet_header_size);
    packet::rewrite_stations(frame, burst.rewrites[at]->stations);
  }
}

}  // namespace sekisho::forward
