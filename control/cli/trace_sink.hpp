// SPDX-License-Identifier: BSD-3-Clause
// Packets with what was decided about them: two lines each, or an object.
#pragma once

#include <memory>

#include "control/cli/capture_sink.hpp"

namespace sekisho::cli {

[[nodiscard]] auto trace_sink(bool json) -> std::unique_ptr<CaptureSink>;

}  // namespace sekisho::cli
