// SPDX-License-Identifier: BSD-3-Clause
// What a worker has for itself. Workers share nothing that one of them writes; what others may do with a part of this, the part says.
#pragma once

#include "common/base/apart.hpp"
#include "dataplane/forward/answering.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/last_drops.hpp"
#include "dataplane/forward/waiting.hpp"
#include "dataplane/forward/wanted.hpp"

namespace sekisho::forward {

struct alignas(base::apart) WorkerData {
  explicit WorkerData(unsigned patience_ms = 0) noexcept : waiting{patience_ms} {}

  // What is asked for every burst stands before what is large.
  unsigned index = 0;  // also the number of its transmit queues
  // The next burst's first TCP or UDP packet is held against its checksum: after a pause, and once in a few thousand polls. A look at each
  // would cost more than all of validation, and who has just begun to send is who wonders.
  bool look_closer = true;
  Waiting waiting;
  WorkerCounters counters;
  Wanted wanted;
  Answering answering;
  LastDrops last_drops;
};

}  // namespace sekisho::forward
