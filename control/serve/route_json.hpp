// SPDX-License-Identifier: BSD-3-Clause
// A candidate route with everything that an operator needs to find where it was written.
#pragma once

#include <string>

#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"
#include "control/sync/kernel_routes.hpp"

namespace sekisho::serve {

[[nodiscard]] Json route_json(const policy::Policy& policy, const route::Route& route);
// What one is that nobody wrote: "connected prefix of port lan".
[[nodiscard]] std::string source_of(const sync::KernelRoute& route);
// The same of one that nobody wrote.
[[nodiscard]] Json route_json(const sync::KernelRoute& route);

}  // namespace sekisho::serve
