// SPDX-License-Identifier: BSD-3-Clause
// `route add|del|replace`: what an operator asks, and what that makes of the overrides in force.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// {"command": "route", "verb": "add", "zone": "onprem", "prefix": "10.1.0.0/16", "next_hop": "firewall"}
[[nodiscard]] auto read_override(const Json& request) -> tl::expected<OverrideRequest, std::string>;

// "add 10.1.0.0/16 firewall in zone onprem"
[[nodiscard]] std::string to_string(const OverrideRequest& request);

// The policy with this change on top of its overrides. `add` refuses a prefix that has a User route, `del` one that has none;
// the others' refusals are policy::with_overrides'.
[[nodiscard]] auto apply(const policy::Policy& policy, const OverrideRequest& request)
    -> tl::expected<std::shared_ptr<const policy::Policy>, std::string>;

}  // namespace sekisho::serve
