// SPDX-License-Identifier: BSD-3-Clause
// What a daemon logs of a policy: the rules that the policy alone decides, whatever machine it is for.
#pragma once

#include <string>
#include <vector>

#include "control/policy/policy.hpp"

namespace sekisho::check {

// A sentence each, in the rules' order; as many as a person reads, and how many more there are.
[[nodiscard]] auto warnings(const policy::Policy& policy) -> std::vector<std::string>;

}  // namespace sekisho::check
