// SPDX-License-Identifier: BSD-3-Clause
// Packets of the dataplane into a sink, until a limit, a signal, or whoever reads the sink ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/cli/capture_sink.hpp"
#include "control/cli/context.hpp"
#include "dataplane.pb.h"

namespace sekisho::cli {

struct LookLimits {
  std::uint64_t count = 0;           // 0: no limit
  double seconds = 0;                // 0: no limit
  std::uint64_t bytes = UINT64_MAX;  // of a file
};

// What is said of it on standard error: "capturing", "captured".
struct LookWords {
  std::string_view now;
  std::string_view then;
};

// The sink is made once the dataplane has accepted what is wanted: before that no file is touched.
[[nodiscard]] Outcome look(
    const std::string& dataplane_socket, const ipc::Capture& wanted, const LookLimits& limits,
    const LookWords& words,
    const std::function<tl::expected<std::unique_ptr<CaptureSink>, std::string>()>& make_sink);

}  // namespace sekisho::cli
