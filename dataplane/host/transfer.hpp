// SPDX-License-Identifier: BSD-3-Clause
// Frames between packet buffers and the kernel, a system call each: the host thread's work.
#pragma once

#include <cstdint>

#include "dataplane/host/device.hpp"

struct rte_mempool;

namespace sekisho::host {

// At most this many in one call, so that every port has its turn.
inline constexpr unsigned turn = 64;

struct Delivered {
  unsigned taken = 0;    // from the ring
  unsigned refused = 0;  // of these, by the kernel
};

// From the ring into the kernel: frames by `frames`, packets by `packets`. Either may be missing.
[[nodiscard]] Delivered deliver(rte_ring* ring, const Tap* frames, const Tap* packets) noexcept;

// From the kernel into the device's ring, as long as it has room: what does not fit is the kernel's to keep.
unsigned collect(Device& device, rte_mempool* pool) noexcept;

}  // namespace sekisho::host
