// SPDX-License-Identifier: BSD-3-Clause
// What a configuration says that neither a port, a next hop, a zone nor a route shows, a text a matter: for comparing two of them.
#pragma once

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// Those that differ: {"bgp": {"before": null, "after": "AS 65010; peer 10.0.3.4 AS 65515 azure-route-server; ..."},
// "advertised": {"before": "1 prefix, only here: 0.0.0.0/0", "after": "2 prefixes, only here: 0.0.0.0/1, 128.0.0.0/1"}}; null: there is
// none. Whole values are compared; of prefixes that are advertised the first are shown.
[[nodiscard]] Json settings_moved(const policy::Policy& before, const policy::Policy& after);

}  // namespace sekisho::serve
