// SPDX-License-Identifier: BSD-3-Clause
// What an operator has said at run time and what holds until he takes it back, over a restart of sekisho-control too: a JSON object
// in a file of the state directory, replaced whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/events/event.hpp"

namespace sekisho::reconcile {

class KeptState {
 public:
  using Json = events::Json;

  // The error is one sentence, names the file, and nothing is known then. A directory without one is none.
  [[nodiscard]] static auto open(const std::filesystem::path& directory)
      -> tl::expected<KeptState, std::string>;
  // Knows nothing; keeps in `directory`.
  explicit KeptState(const std::filesystem::path& directory);

  // Null: it was never said.
  [[nodiscard]] Json get(std::string_view key) const;
  // Null forgets. Nothing has changed after an error.
  [[nodiscard]] auto set(std::string_view key, Json value) -> tl::expected<void, std::string>;

 private:
  std::filesystem::path file_;
  Json known_ = Json::object();
};

}  // namespace sekisho::reconcile
