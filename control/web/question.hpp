// SPDX-License-Identifier: BSD-3-Clause
// What the page may ask: questions of the CLI that only read, by a path and a query; the newest events, and the
// rates of the last minutes.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/serve/json.hpp"

namespace sekisho::web {

using serve::Json;

// All but the page itself.
[[nodiscard]] std::vector<std::string> question_paths();

struct Question {
  Json request;                       // as the CLI would send it
  std::chrono::milliseconds fresh{};  // for how long an answer may be given to others, too
  // Answers at once, of what control has in its memory. Null: the request is answered as the CLI's is.
  std::function<Json()> remembered = nullptr;
};

// `path`: one of question_paths(). `query`: "from=172.16.0.10&to=1.1.1.1&port=lan". The error is a sentence.
[[nodiscard]] auto read_question(std::string_view path, std::string_view query)
    -> tl::expected<Question, std::string>;

}  // namespace sekisho::web
