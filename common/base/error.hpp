// SPDX-License-Identifier: BSD-3-Clause
// Why a file was refused, or what is odd about it. Reading any file either succeeds whole or changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace sekisho::base {

struct Error {
  std::filesystem::path file;
  unsigned line = 0;  // 1 is the first; 0: the file as a whole (missing, unreadable), or a place in JSON
  std::string reason;
  std::string path{};  // JSONPath of the offender, "$.routes[3].addressPrefix"; empty: not JSON

  // "routes.txt:12: host bits are set (...)", "udr.json: $.routes[3].addressPrefix: host bits are set (...)"
  [[nodiscard]] auto to_string() const -> std::string {
    return file.string() + (line != 0 ? ":" + std::to_string(line) : "") + ": " +
           (path.empty() ? "" : path + ": ") + reason;
  }
};

// How much a finding matters. Ordered.
enum class Severity : std::uint8_t {
  note,     // good to know
  warning,  // probably not what is meant
  error,    // will not work; of a reader: routes are left out that it cannot know
};

// What a reader understood and yet finds worth a word: a property that it does not know, prefixes that it left out.
struct Finding {
  Severity severity = Severity::warning;
  Error where;  // file and place; `reason` is the finding
};

}  // namespace sekisho::base
