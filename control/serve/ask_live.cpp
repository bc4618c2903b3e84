// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/ask_live.hpp"

#include <utility>

namespace sekisho::serve {

void ask_state(Backend& backend, std::function<void(Live)> done) {
  if (!backend.dataplane_connected()) {
    done({.error = "the dataplane is not connected"});
    return;
  }
  ipc::Request request;
  request.mutable_get_state();
  backend.ask_dataplane(std::move(request), [&backend, done = std::move(done)](auto replies) {
    if (replies && !replies->empty() && replies->front().has_state()) {
      done({.state = replies->front().state(), .statistics = std::nullopt, .connected = true});
    } else {
      done({.connected = backend.dataplane_connected(),
            .error = replies ? "it gave no state" : std::move(replies.error())});
    }
  });
}

void ask_live(Backend& backend, std::function<void(Live)> done) {
  ask_state(backend, [&backend, done = std::move(done)](Live live) {
    if (!live.state) {
      done(std::move(live));
      return;
    }
    ipc::Request request;
    request.mutable_get_statistics();
    backend.ask_dataplane(std::move(request), [live = std::move(live), done](auto replies) {
      auto whole = live;
      if (replies && !replies->empty() && replies->front().has_statistics()) {
        whole.statistics = replies->front().statistics();
      } else {
        whole.error = replies ? "it gave no statistics" : std::move(replies.error());
      }
      done(std::move(whole));
    });
  });
}

auto problems_now(const Backend& backend, const Live& live) -> std::vector<Problem> {
  const auto policy = backend.policy();
  const auto circumstances = backend.circumstances();
  return problems({*policy, backend.mirror(), backend.view(), live, circumstances});
}

}  // namespace sekisho::serve
