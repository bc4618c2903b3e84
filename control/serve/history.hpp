// SPDX-License-Identifier: BSD-3-Clause
// What ran before, as control tells it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "control/history/entry.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// What ran, and what runs instead of the configuration.
struct History {
  std::vector<history::Entry> entries;  // the oldest first
  std::filesystem::path directory;
  std::filesystem::path configuration;  // that is started, but for `pinned`
  std::optional<std::uint64_t> runs;    // its number; none: it has no copy
  std::string why_none;                 // it has no copy
  std::optional<std::uint64_t> pinned;  // what is started instead of the configuration
  std::optional<std::uint64_t> confirm_until_unix_ms;
  bool is_taken_back = false;  // what was on trial, at this moment
  std::string why_not_back;    // that could not be yet
};

// {"runs": 17, "starts_with": null, "confirm_until_unix_ms": null, "configuration": "/etc/sekisho/sekisho.toml",
//  "policies": [{"policy": 17, "ran_unix_ms": 1, "cause": "reload", "files": ["/etc/sekisho/sekisho.toml"], "folder": "/var/..."}]}
[[nodiscard]] Json history_json(const History& history);

}  // namespace sekisho::serve
