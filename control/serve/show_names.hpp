// SPDX-License-Identifier: BSD-3-Clause
// What has a name in the policy that runs, for shells that complete it: without the dataplane, which may not answer.
#pragma once

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// {"zones": ["onprem"], "ports": ["lan"], "next_hops": [{"name": "firewall", "members": ["10.0.2.10"]}]}
[[nodiscard]] Json show_names(const policy::Policy& policy);

}  // namespace sekisho::serve
