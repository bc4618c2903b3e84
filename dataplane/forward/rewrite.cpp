// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/trim.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"

namespace sekisho::forward {

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
