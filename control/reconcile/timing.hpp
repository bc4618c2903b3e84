// SPDX-License-Identifier: BSD-3-Clause
// How long the daemon waits before it tries again.
#pragma once

#include <chrono>

#include "common/base/unix_time.hpp"

namespace sekisho::reconcile {

// Every attempt to open a device takes the dataplane's writer a while and, with AF_XDP, costs it buffers.
inline constexpr std::chrono::seconds first_retry{2};
inline constexpr std::chrono::seconds last_retry{60};

// One that was killed a moment ago may not be gone yet.
inline constexpr std::chrono::seconds patience_at_start{2};

using base::now_unix_ms;

}  // namespace sekisho::reconcile
