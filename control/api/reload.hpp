// What a reload changed, as JSON.
#pragma once

#include "control/api/backend.hpp"
#include "control/api/json.hpp"

namespace sekisho::api {

[[nodiscard]] Json reload_json(const Reloaded& reloaded);

}  // namespace sekisho::api
