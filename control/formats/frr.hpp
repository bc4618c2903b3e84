// SPDX-License-Identifier: BSD-3-Clause
// FRR's routing table: vtysh's `show ip route json`, `show ip route vrf red json`, and `show ip route vrf all json`, a table of
// each VRF. What is selected
// is in force; the rest is kept for display only.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

[[nodiscard]] bool holds_frr_routes(const Content& content);
[[nodiscard]] auto read_frr_routes(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
