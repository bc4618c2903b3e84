// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/pipeline.hpp"

#include "dataplane/forward/books_check.hpp"
#include "dataplane/forward/stages.hpp"

namespace sekisho::forward {

void forward_burst(const ForwardingState& state, WorkerCounters& counters, Wanted& wanted,
                   Answering& answering, unsigned worker, const RxQueue& ingress,
                   std::span<rte_mbuf*> received) noexcept {
  const BooksCheck check(counters, static_cast<unsigned>(received.size()));
  Burst burst;
  burst.mbufs = received.data();
  burst.count = static_cast<unsigned>(received.size());
  const Answering::Place place{
      .state = state, .ingress = ingress, .counters = counters.ports[ingress.port], .worker = worker};
  Diverted diverted(place, answering);
  const Context context{.state = state,
                        .counters = counters,
                        .wanted = wanted,
                        .worker = worker,
                        .ingress = ingress,
                        .diverted = diverted};
  validate(context, burst);
  admit(context, burst);
  route(context, burst);
  resolve(context, burst);
  rewrite(burst);
  transmit(context, burst);
  diverted.settle(place.counters);
}

}  // namespace sekisho::forward
