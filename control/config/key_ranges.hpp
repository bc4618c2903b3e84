// SPDX-License-Identifier: BSD-3-Clause
// Bounds that several keys have.
#pragma once

#include <cstdint>

namespace sekisho::config {

inline constexpr std::int64_t hour = 3'600'000;  // in milliseconds, as the range of a time

}  // namespace sekisho::config
