// SPDX-License-Identifier: BSD-3-Clause
// What this appliance's kernel sends: by a port, where it goes out as it is, or by the exit, where it is judged.
#pragma once

#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"

namespace sekisho::forward {

// Takes at most burst_capacity frames from the queue; how many it took.
unsigned serve_host_queue(const ForwardingState& state, WorkerData& own, const HostQueue& queue) noexcept;

}  // namespace sekisho::forward
