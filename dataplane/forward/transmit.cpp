#include "dataplane/forward/transmit.hpp"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include "dataplane/forward/group.hpp"
#include "dataplane/forward/tally.hpp"

namespace sekisho::forward {
namespace {

// A device that is merely behind catches up within these; waiting longer would hold up every other port.
constexpr unsigned max_retries = 4;

}  // namespace

unsigned send(std::uint16_t port, std::uint16_t queue, rte_mbuf** mbufs, unsigned count) noexcept {
  unsigned sent = rte_eth_tx_burst(port, queue, mbufs, static_cast<std::uint16_t>(count));
  for (unsigned retry = 0; sent < count && retry < max_retries; ++retry) {
    rte_pause();
    sent += rte_eth_tx_burst(port, queue, mbufs + sent, static_cast<std::uint16_t>(count - sent));
  }
  return sent;
}

void transmit(const ForwardingState& state, WorkerCounters& counters, unsigned worker, const Burst& burst,
              Drops& drops) noexcept {
  for_each_group(burst.egress, burst.count, [&](PortIndex port, std::span<const std::uint8_t> positions) {
    std::array<rte_mbuf*, burst_capacity> mbufs;
    const auto count = static_cast<unsigned>(positions.size());
    for (unsigned i = 0; i < count; ++i) {
      mbufs[i] = burst.mbufs[positions[i]];
    }
    const unsigned sent =
        send(state.ports[port].dpdk_port, static_cast<std::uint16_t>(worker), mbufs.data(), count);
    // The device owns what it took, and may have freed it: only what the burst remembers is looked at.
    std::uint64_t bytes = 0;
    Tally tally(counters.adjacencies);
    for (unsigned i = 0; i < sent; ++i) {
      const unsigned at = positions[i];
      tally.count(burst.adjacencies[at], burst.bytes[at]);
      bytes += burst.bytes[at];
    }
    counters.ports[port].tx.add(sent, bytes);
    for (unsigned i = sent; i < count; ++i) {
      drops.add(mbufs[i], DropReason::transmit_full);
    }
  });
}

}  // namespace sekisho::forward
