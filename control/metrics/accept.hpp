// SPDX-License-Identifier: BSD-3-Clause
// Which format a scraper wants, from its Accept header.
#pragma once

#include <string_view>

#include "control/metrics/text.hpp"

namespace sekisho::metrics {

// OpenMetrics unless the header prefers text/plain, the older format.
[[nodiscard]] Format negotiate(std::string_view accept);

}  // namespace sekisho::metrics
