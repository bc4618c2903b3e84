// What the dataplane says of itself, asked for by whoever shows it: the CLI and the metrics.
#pragma once

#include <functional>

#include "control/api/backend.hpp"
#include "control/api/show.hpp"

namespace sekisho::api {

// State and statistics, or neither while the dataplane is away: what the policy says can be shown without it.
// `done` is called exactly once; the backend must live until then.
void ask_live(Backend& backend, std::function<void(Live)> done);

}  // namespace sekisho::api
