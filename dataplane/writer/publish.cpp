// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {

void publish_state(Live& live, const forward::ForwardingState& next) {
  if (*live.state == next) {
    return;
  }
  auto old = std::exchange(live.state, std::make_unique<const forward::ForwardingState>(next));
  for (auto* worker : live.workers) {
    worker->set_state(live.state.get());
  }
  // Who reads what comes next (an adjacency's port, a source's zone) must find it here.
  live.qsbr.synchronize();
}

}  // namespace sekisho::writer
