// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/pipeline.hpp"

#include "dataplane/forward/books_check.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/stages.hpp"

namespace sekisho::forward {

void forward_burst(const ForwardingState& state, WorkerData& own, const RxQueue& ingress,
                   std::span<rte_mbuf*> received) noexcept {
  const BooksCheck check(own.counters, static_cast<unsigned>(received.size()));
  if (state.capture != nullptr) [[unlikely]] {
    state.capture->received(own.index, ingress, received);
  }
  Burst burst;
  burst.mbufs = received.data();
  burst.count = static_cast<unsigned>(received.size());
  Diverted diverted({.state = state, .ingress = ingress, .own = own});
  const Context context{.state = state, .own = own, .ingress = ingress, .diverted = diverted};
  validate(context, burst);
  admit(context, burst);
  route(context, burst);
  resolve(context, burst);
  if ((state.clamping.ports & (burst.egress | PortMask{1} << ingress.port)) != 0) [[unlikely]] {
    clamp(context, burst);
  }
  if (burst.to_fill != 0) [[unlikely]] {
    fill(context, burst);
  }
  rewrite(burst);
  transmit(context, burst);
  diverted.settle();
  if (auto* const tracing = tracing_of(state, own.index)) [[unlikely]] {
    tracing->sent(burst);
    state.capture->judged(own.index, ingress.port);
  }
}

}  // namespace sekisho::forward
