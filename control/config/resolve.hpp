// SPDX-License-Identifier: BSD-3-Clause
// The names in probes become addresses: once, when a configuration is read to run, so that nobody's name server decides later
// what is asked.
#pragma once

#include <chrono>
#include <optional>

#include "common/base/error.hpp"
#include "control/config/config.hpp"

namespace sekisho::config {

inline constexpr std::chrono::milliseconds usual_resolve_patience{3000};

// Waits for the system's resolver, at most for `patience` in all: not for a thread that others wait for. The error names the line
// of the probe; nothing: all names have addresses now.
[[nodiscard]] auto resolve_names(Config& config, std::chrono::milliseconds patience = usual_resolve_patience)
    -> std::optional<base::Error>;

}  // namespace sekisho::config
