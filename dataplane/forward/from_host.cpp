// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/from_host.hpp"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <span>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/diverted.hpp"
#include "dataplane/forward/pipeline.hpp"
#include "dataplane/forward/stages.hpp"

namespace sekisho::forward {
namespace {

void transmit_as_is(const ForwardingState& state, WorkerData& own, const RxQueue& egress,
                    std::span<rte_mbuf*> frames) noexcept {
  auto& port = own.counters.ports[egress.port];
  const auto count = static_cast<unsigned>(frames.size());
  std::array<std::uint32_t, burst_capacity> bytes;
  std::uint64_t all_bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    all_bytes += bytes[i] = frames[i]->pkt_len;
  }
  port.generated.add(count, all_bytes);
  const unsigned sent = send(state, own.index, egress.port, egress.dpdk_port, frames);
  Diverted diverted({.state = state, .ingress = egress, .own = own}, Diverted::Senders::not_told);
  for (unsigned i = sent; i < count; ++i) {
    all_bytes -= bytes[i];
    diverted.add(frames[i], DropReason::transmit_full);
  }
  port.tx.add(sent, all_bytes);
  diverted.settle();
}

}  // namespace

unsigned serve_host_queue(const ForwardingState& state, WorkerData& own, const HostQueue& queue) noexcept {
  std::array<rte_mbuf*, burst_capacity> frames;
  const unsigned count =
      rte_ring_dequeue_burst(queue.ring, reinterpret_cast<void**>(frames.data()), burst_capacity, nullptr);
  if (count == 0) {
    return 0;
  }
  if (queue.judged) {
    forward_burst(state, own, queue.port, {frames.data(), count});
  } else {
    transmit_as_is(state, own, queue.port, {frames.data(), count});
  }
  return count;
}

}  // namespace sekisho::forward
