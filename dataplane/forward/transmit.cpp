// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ethdev.h>
#include <rte_pause.h>

#include <bit>
#include <functional>
#include <numeric>
#include <span>

#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/tally.hpp"

namespace sekisho::forward {
namespace {

// A device that is merely behind catches up within these; waiting longer would hold up every other port.
constexpr unsigned max_retries = 4;

unsigned hand_over(std::uint16_t dpdk_port, unsigned worker, std::span<rte_mbuf*> frames) noexcept {
  const auto queue = static_cast<std::uint16_t>(worker);
  const auto count = static_cast<unsigned>(frames.size());
  unsigned sent = rte_eth_tx_burst(dpdk_port, queue, frames.data(), static_cast<std::uint16_t>(count));
  for (unsigned retry = 0; sent < count && retry < max_retries; ++retry) {
    rte_pause();
    sent +=
        rte_eth_tx_burst(dpdk_port, queue, frames.data() + sent, static_cast<std::uint16_t>(count - sent));
  }
  return sent;
}

}  // namespace

unsigned send(const ForwardingState& state, unsigned worker, PortIndex port, std::uint16_t dpdk_port,
              std::span<rte_mbuf*> frames) noexcept {
  if (state.capture != nullptr) [[unlikely]] {
    return state.capture->sent(worker, port, frames,
                               [&](std::span<rte_mbuf*> all) { return hand_over(dpdk_port, worker, all); });
  }
  return hand_over(dpdk_port, worker, frames);
}

namespace {

// The packets of `burst`, all of which go to `port`.
void transmit_to(unsigned port, const Context& context, const Burst& burst) noexcept {
  if (burst.count == 0) {
    return;
  }
  const unsigned sent = send(context.state, context.own.index, static_cast<PortIndex>(port),
                             context.state.ports[port].dpdk_port, {burst.mbufs, burst.count});
  // The device owns what it took, and may have freed it: only what the burst remembers is looked at.
  const std::uint32_t bytes = std::accumulate(burst.sizes.begin() + sent, burst.sizes.begin() + burst.count,
                                              burst.bytes, std::minus<>());
  context.own.counters.ports[port].tx.add(sent, bytes);
  tally(context.own.counters.adjacencies, burst.adjacencies, burst.sizes, sent, bytes);
  for (unsigned at = sent; at < burst.count; ++at) {
    context.diverted.add(burst.mbufs[at], DropReason::transmit_full);
  }
}

}  // namespace

void transmit(const Context& context, const Burst& burst) noexcept {
  if (std::has_single_bit(burst.egress)) [[likely]] {
    transmit_to(static_cast<unsigned>(std::countr_zero(burst.egress)), context, burst);
    return;
  }
  for_each_bit(burst.egress, [&](unsigned port) {
    std::array<rte_mbuf*, burst_capacity> mbufs;
    Burst share;
    share.mbufs = mbufs.data();
    for (unsigned at = 0; at < burst.count; ++at) {
      if (burst.rewrites[at]->port == port) {
        mbufs[share.count] = burst.mbufs[at];
        share.sizes[share.count] = burst.sizes[at];
        share.adjacencies[share.count] = burst.adjacencies[at];
        share.bytes += burst.sizes[at];
        ++share.count;
      }
    }
    transmit_to(port, context, share);
  });
}

}  // namespace sekisho::forward
