// Asks the dataplane what it says of itself.
#pragma once

#include <functional>

#include "control/api/backend.hpp"
#include "control/api/live.hpp"

namespace sekisho::api {

// `done` is called exactly once; the backend must live until then.
void ask_live(Backend& backend, std::function<void(Live)> done);

// What is wrong by the backend's word and this answer.
[[nodiscard]] auto problems_now(const Backend& backend, const Live& live) -> std::vector<Problem>;

}  // namespace sekisho::api
