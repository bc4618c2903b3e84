// SPDX-License-Identifier: BSD-3-Clause
// From a request of the CLI to its answer: reads the request, asks the backend, and shapes the reply.
#pragma once

#include <cstdint>
#include <functional>

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

struct Answer {
  // {"ok": true, "result": ...}, with "problem" when the dataplane could not be asked, or {"ok": false, "error": ...}
  Json reply;
  std::function<Answer()> next;  // set when the reply says "more": the page behind it
  // Set instead where that page has yet to come: it calls back with it, unless whoever waits has gone.
  std::function<void(std::function<void(Answer)>)> later{};
};

// `done` is called exactly once, at once or when the backend has answered; `request` is an object. The
// backend must live until then.
void handle(const Json& request, Backend& backend, std::uint64_t started_unix_ms,
            std::function<void(Answer)> done);

}  // namespace sekisho::serve
