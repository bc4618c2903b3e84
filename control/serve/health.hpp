// SPDX-License-Identifier: BSD-3-Clause
// Whether a load balancer should send traffic here. Pure, over what [health] requires, what is wrong and whether the appliance is
// being drained.
#pragma once

#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"
#include "control/serve/problems.hpp"
#include "control/serve/verdict.hpp"

namespace sekisho::serve {

struct Health {
  Verdict verdict;
  bool is_draining = false;
  std::vector<std::string> failures;  // why no traffic should come; empty: it may
};

// Without `require` in [health], whatever closes the appliance fails it; with it, a dead dataplane and what is required.
[[nodiscard]] auto health(const policy::Policy& policy, const std::vector<Problem>& problems,
                          bool is_draining) -> Health;
// {"healthy": false, "verdict": "closed", "draining": false, "reasons": ["no living member of firewall"]}: why it fails, then what
// is wrong besides
[[nodiscard]] Json health_json(const Health& health);

}  // namespace sekisho::serve
