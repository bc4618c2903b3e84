// SPDX-License-Identifier: BSD-3-Clause
// GET /metrics, for Prometheus and whatever speaks its formats.
#pragma once

#include <functional>
#include <string>

#include "control/http/server.hpp"
#include "control/metrics/text.hpp"

namespace sekisho::metrics {

// Calls back with the text, now or when the dataplane has answered.
using Collect = std::function<void(Format, std::function<void(std::string)>)>;

[[nodiscard]] auto site(Collect collect) -> http::Site;

}  // namespace sekisho::metrics
