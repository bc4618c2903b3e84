// SPDX-License-Identifier: BSD-3-Clause
// What DPDK's libraries and drivers have to say, as lines of our own log.
#pragma once

#include <cstdio>

namespace sekisho {

// For rte_openlog_stream. Never closed: DPDK writes to it until the process ends. Null when there is no memory.
[[nodiscard]] std::FILE* open_eal_log();

}  // namespace sekisho
