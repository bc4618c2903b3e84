// SPDX-License-Identifier: BSD-3-Clause
// What a configuration means, as `sekisho check` says it: ports, next hops, zones, what leaves past the firewall.
#pragma once

#include "control/cli/context.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {

[[nodiscard]] Json summary_json(const policy::Policy& policy);
void print_summary(const Json& summary);

}  // namespace sekisho::cli
