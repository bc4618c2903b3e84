// SPDX-License-Identifier: BSD-3-Clause
// One policy of those that ran: when, why, and from which files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::history {

struct Entry {
  std::uint64_t number = 0;  // counts up; 1 is the first. Its folder's name, and not in the text
  std::uint64_t ran_unix_ms = 0;
  std::string cause;                         // "start", "reload", "rollback to 12"
  std::vector<std::filesystem::path> files;  // where they were, absolute; the configuration first

  friend bool operator==(const Entry&, const Entry&) = default;
};

// Where an entry has its copy of a file: beneath `root` at the file's own place, so that names relative to the configuration still hold.
[[nodiscard]] auto beneath(const std::filesystem::path& root, const std::filesystem::path& file)
    -> std::filesystem::path;

[[nodiscard]] auto to_text(const Entry& entry) -> std::string;
// The error is a sentence.
[[nodiscard]] auto parse_entry(std::string_view text) -> tl::expected<Entry, std::string>;

}  // namespace sekisho::history
