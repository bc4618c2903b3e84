#include "control/api/live.hpp"

#include <utility>

namespace sekisho::api {

void ask_live(Backend& backend, std::function<void(Live)> done) {
  if (!backend.dataplane_connected()) {
    done({});
    return;
  }
  Request state;
  state.mutable_get_state();
  backend.ask_dataplane(std::move(state), [&backend, done = std::move(done)](auto states) {
    if (!states || states->empty() || !states->front().has_state()) {
      done({});
      return;
    }
    Request statistics;
    statistics.mutable_get_statistics();
    backend.ask_dataplane(std::move(statistics), [state = std::move(states->front()), done](auto replies) {
      Live live{.state = state.state(), .statistics = std::nullopt};
      if (replies && !replies->empty() && replies->front().has_statistics()) {
        live.statistics = replies->front().statistics();
      }
      done(std::move(live));
    });
  });
}

}  // namespace sekisho::api
