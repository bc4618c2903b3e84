// SPDX-License-Identifier: BSD-3-Clause
// What a reload changed, as JSON.
#pragma once

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

[[nodiscard]] Json reload_json(const Reloaded& reloaded);

}  // namespace sekisho::serve
