// SPDX-License-Identifier: BSD-3-Clause
// What a worker has for itself. Workers share nothing that one of them writes; what others may do with a part of this, the part says.
#pragma once

#include "dataplane/forward/answering.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/last_drops.hpp"
#include "dataplane/forward/wanted.hpp"

namespace sekisho::forward {

struct WorkerData {
  unsigned index = 0;  // also the number of its transmit queues
  WorkerCounters counters;
  Wanted wanted;
  Answering answering;
  LastDrops last_drops;
};

}  // namespace sekisho::forward
