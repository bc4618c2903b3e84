// SPDX-License-Identifier: BSD-3-Clause
// `next-hop drain|undrain`: what an operator asks, and what that makes of the members that are drained. Pure.
#pragma once

#include <tl/expected.hpp>

#include "control/policy/policy.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

// {"command": "next-hop", "verb": "drain", "next_hop": "firewall", "member": "10.0.2.11", "force": false}
[[nodiscard]] auto read_drain(const Json& request) -> tl::expected<DrainRequest, std::string>;

// Refused: a member that the policy does not have; without force the last one that lives and takes flows.
[[nodiscard]] auto apply(const policy::Policy& policy, const sync::View& view, const DrainRequest& request)
    -> tl::expected<sync::Drained, std::string>;

// Those that the configuration has; what is left out is forgotten. A next hop that is made for what is learned may come back as
// long as something is learned: a gateway is drained for its maintenance, during which nobody announces it.
[[nodiscard]] auto still_configured(const sync::Drained& drained, const config::Config& config)
    -> sync::Drained;

// As a file of the state directory has them: {"firewall": ["10.0.2.11"]}. What is no such thing is none.
[[nodiscard]] Json drained_json(const sync::Drained& drained);
[[nodiscard]] auto drained_of(const Json& kept) -> sync::Drained;

}  // namespace sekisho::serve
