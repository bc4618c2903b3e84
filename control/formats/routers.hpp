// SPDX-License-Identifier: BSD-3-Clause
// What routers print besides FRR's JSON: BIRD's tables, and the static routes of a configuration.
#pragma once

#include "control/formats/format.hpp"

namespace sekisho::formats {

// `birdc show route` of BIRD 1 and 2. What is learned is a BGP route, a direct one a System route, the rest User. Only the
// route that BIRD prefers is in force.
[[nodiscard]] bool holds_bird_routes(const Content& content);
[[nodiscard]] auto read_bird_routes(const Content& content, const Options& options) -> Reading;

// `ip route` lines of FRR's and Cisco's configurations, with a prefix or with an address and its mask, each VRF a table. Of
// one prefix those of the lowest distance share the packets. Other lines are counted.
[[nodiscard]] bool holds_router_config(const Content& content);
[[nodiscard]] auto read_router_config(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
