// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/ask_live.hpp"

#include <utility>

namespace sekisho::serve {

void ask_live(Backend& backend, std::function<void(Live)> done) {
  if (!backend.dataplane_connected()) {
    done({.error = "the dataplane is not connected"});
    return;
  }
  ipc::Request state;
  state.mutable_get_state();
  backend.ask_dataplane(std::move(state), [&backend, done = std::move(done)](auto states) {
    if (!states || states->empty() || !states->front().has_state()) {
      done({.connected = backend.dataplane_connected(),
            .error = states ? "it gave no state" : std::move(states.error())});
      return;
    }
    ipc::Request statistics;
    statistics.mutable_get_statistics();
    backend.ask_dataplane(std::move(statistics), [state = std::move(states->front()), done](auto replies) {
      Live live{.state = state.state(), .statistics = std::nullopt, .connected = true};
      if (replies && !replies->empty() && replies->front().has_statistics()) {
        live.statistics = replies->front().statistics();
      } else {
        live.error = replies ? "it gave no statistics" : std::move(replies.error());
      }
      done(std::move(live));
    });
  });
}

auto problems_now(const Backend& backend, const Live& live) -> std::vector<Problem> {
  const auto policy = backend.policy();
  const auto circumstances = backend.circumstances();
  return problems({*policy, backend.mirror(), backend.view(), live, circumstances});
}

}  // namespace sekisho::serve
