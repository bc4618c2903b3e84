// SPDX-License-Identifier: BSD-3-Clause
// How long the daemon waits before it tries again, and what time it is for whoever asks.
#pragma once

#include <chrono>
#include <cstdint>

namespace sekisho::reconcile {

// Every attempt to open a device takes the dataplane's writer a while and, with AF_XDP, costs it buffers.
inline constexpr std::chrono::seconds first_retry{2};
inline constexpr std::chrono::seconds last_retry{60};

// One that was killed a moment ago may not be gone yet.
inline constexpr std::chrono::seconds patience_at_start{2};

[[nodiscard]] inline std::uint64_t now_unix_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace sekisho::reconcile
