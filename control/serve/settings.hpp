// SPDX-License-Identifier: BSD-3-Clause
// What a configuration says that neither a port, a next hop, a zone nor a route shows, a text a matter: for comparing two of them.
#pragma once

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// {"bgp": "AS 65010; peer 10.0.3.4 AS 65515 azure-route-server; advertises 0.0.0.0/1, 128.0.0.0/1", "learning": ..., "probes": ...};
// null: there is none.
[[nodiscard]] Json settings_json(const policy::Policy& policy);

}  // namespace sekisho::serve
