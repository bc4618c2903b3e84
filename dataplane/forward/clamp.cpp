// SPDX-License-Identifier: BSD-3-Clause
#include <rte_mbuf.h>

#include "dataplane/forward/stages.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/mss.hpp"

namespace sekisho::forward {

// The protocol, and of TCP the flags, are on the cache line that every stage has read: what is no SYN costs two comparisons.
void clamp_one(const Context& context, const Burst& burst, unsigned at, PortIndex egress) noexcept {
  std::uint8_t* const header = burst.frames[at] + packet::ethernet_header_size;
  const std::size_t readable = burst.mbufs[at]->data_len - packet::ethernet_header_size;
  if (!packet::is_syn(packet::Ipv4View(header), readable)) {
    return;
  }
  const PortIndex ingress = context.ingress.port;
  if (packet::lower_mss(header, readable, context.state.clamping.most_between(ingress, egress))) {
    context.own.counters.ports[ingress].mss_clamped.add(1);
  }
}

void clamp(const Context& context, const Burst& burst) noexcept {
  for (unsigned at = 0; at < burst.count; ++at) {
    clamp_one(context, burst, at, burst.rewrites[at]->port);
  }
}

}  // namespace sekisho::forward
