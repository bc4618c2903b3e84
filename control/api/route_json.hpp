// A candidate route with everything that an operator needs to find where it was written.
#pragma once

#include "control/api/json.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::api {

[[nodiscard]] Json route_json(const policy::Policy& policy, const route::Route& route);

}  // namespace sekisho::api
