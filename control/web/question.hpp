// SPDX-License-Identifier: BSD-3-Clause
// What the page may ask: the questions of the CLI that only read, by a path and a query.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/serve/json.hpp"

namespace sekisho::web {

using serve::Json;

// All but the page itself and the events.
[[nodiscard]] std::vector<std::string> question_paths();

struct Question {
  Json request;                       // as the CLI would send it
  std::chrono::milliseconds fresh{};  // for how long an answer may be given to others, too
};

// `path`: one of question_paths(). `query`: "from=172.16.0.10&to=1.1.1.1&port=lan". The error is a sentence.
[[nodiscard]] auto read_question(std::string_view path, std::string_view query)
    -> tl::expected<Question, std::string>;

}  // namespace sekisho::web
