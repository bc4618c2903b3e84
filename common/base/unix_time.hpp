// SPDX-License-Identifier: BSD-3-Clause
// What time it is, for people and for what outlives this process: durations are the steady clock's to measure.
#pragma once

#include <chrono>
#include <cstdint>

namespace sekisho::base {

// Milliseconds since 1970 in UTC, by the system's clock, which may be set.
[[nodiscard]] inline std::uint64_t now_unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace sekisho::base
