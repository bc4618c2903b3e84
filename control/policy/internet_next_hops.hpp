// SPDX-License-Identifier: BSD-3-Clause
// Where a zone's traffic for the Internet goes by the table that is in force: not what the configuration says, for an override or a
// learned route may lead it elsewhere.
#pragma once

#include <set>
#include <string>

#include "control/policy/policy.hpp"

namespace sekisho::policy {

// The next hops of 0.0.0.0/1 and 128.0.0.0/1, or of 0.0.0.0/0 where there is no half: names, `none` and `leave` among them.
// Empty: no such route.
[[nodiscard]] auto internet_next_hops(const Policy& policy, const ZonePolicy& zone) -> std::set<std::string>;

}  // namespace sekisho::policy
