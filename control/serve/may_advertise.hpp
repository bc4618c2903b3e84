// SPDX-License-Identifier: BSD-3-Clause
// Whether BGP peers may be told to send traffic here. Pure.
#pragma once

#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/reach/members.hpp"
#include "control/serve/problems.hpp"

namespace sekisho::serve {

// Why not; empty: they may. Traffic that comes is forwarded when the verdict is not "closed", and a port runs by which a living member is
// reached of a next hop that the Internet is reached by, as the routes in force have it.
[[nodiscard]] auto why_not_advertised(const policy::Policy& policy, const std::vector<reach::Member>& members,
                                      const std::vector<Problem>& problems) -> std::vector<std::string>;

}  // namespace sekisho::serve
