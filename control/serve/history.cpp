// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/history.hpp"

#include "control/history/copy.hpp"

namespace sekisho::serve {
namespace {

template <typename Number>
Json or_null(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

}  // namespace

Json history_json(const History& history) {
  auto policies = Json::array();
  for (const auto& entry : history.entries) {
    auto files = Json::array();
    for (const auto& file : entry.files) {
      files.push_back(file.native());
    }
    const auto folder = history::root_of(history.directory / std::to_string(entry.number));
    policies.push_back({{"policy", entry.number},
                        {"ran_unix_ms", entry.ran_unix_ms},
                        {"cause", entry.cause},
                        {"files", std::move(files)},
                        {"folder", folder.native()}});
  }
  return {{"runs", or_null(history.runs)},
          {"why_none", history.why_none.empty() ? Json(nullptr) : Json(history.why_none)},
          {"starts_with", or_null(history.pinned)},
          {"confirm_until_unix_ms", or_null(history.confirm_until_unix_ms)},
          {"why_not_back", history.why_not_back.empty() ? Json(nullptr) : Json(history.why_not_back)},
          {"configuration", history.configuration.native()},
          {"policies", std::move(policies)}};
}

}  // namespace sekisho::serve
