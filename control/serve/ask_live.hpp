// SPDX-License-Identifier: BSD-3-Clause
// Asks the dataplane what it says of itself.
#pragma once

#include <functional>

#include "control/serve/backend.hpp"
#include "control/serve/live.hpp"

namespace sekisho::serve {

// `done` is called exactly once; the backend must live until then.
void ask_live(Backend& backend, std::function<void(Live)> done);

// The same without statistics.
void ask_state(Backend& backend, std::function<void(Live)> done);

// What is wrong by the backend's word and this answer.
[[nodiscard]] auto problems_now(const Backend& backend, const Live& live) -> std::vector<Problem>;

}  // namespace sekisho::serve
