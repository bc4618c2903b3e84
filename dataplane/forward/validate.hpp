// SPDX-License-Identifier: BSD-3-Clause
// The first stage: which frames are IPv4 packets that a router may believe, and what their headers say.
#pragma once

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/drops.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho::forward {

// Fills frames, sizes and headers from the mbufs, of which there are some. The bytes received.
std::uint64_t validate(const RxQueue& ingress, Burst& burst, Drops& drops) noexcept;

}  // namespace sekisho::forward
