// SPDX-License-Identifier: BSD-3-Clause
// Shows workers something new and frees what they saw before. What equals what they have is not touched.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

// Returns when no worker reads the state from before.
void publish_state(Live& live, const forward::ForwardingState& next);

// `next` and `current`: by worker. The same.
template <class Queue>
void publish_queues(Live& live, std::vector<std::unique_ptr<const std::vector<Queue>>>& current,
                    std::vector<std::vector<Queue>> next,
                    void (forward::Worker::*set)(const std::vector<Queue>*) noexcept) {
  std::vector<std::unique_ptr<const std::vector<Queue>>> old;
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (*current[i] == next[i]) {
      continue;
    }
    old.push_back(std::exchange(current[i], std::make_unique<const std::vector<Queue>>(std::move(next[i]))));
    (live.workers[i]->*set)(current[i].get());
  }
  if (!old.empty()) {
    live.qsbr.synchronize();
  }
}

}  // namespace sekisho::writer
