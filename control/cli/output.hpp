// SPDX-License-Identifier: BSD-3-Clause
// What a command prints on standard output: JSON documents, long JSON arrays piece by piece, and a little
// colour where a person is looking.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "control/cli/context.hpp"

namespace sekisho::cli {

void print_json(const Json& document);

// An array, one element a line, without ever holding it.
class JsonArray {
 public:
  void add(const Json& element);
  void add_text(std::string_view element);  // that is JSON already
  void close();

 private:
  bool empty_ = true;
};

enum class Tone { plain, heading, good, bad };
// With the terminal's codes around it: as --color says, by default when standard output is a terminal and NO_COLOR is not set.
[[nodiscard]] std::string toned(std::string_view text, Tone tone);
[[nodiscard]] std::string color_word();  // as --color has it
// How wide the terminal is, $COLUMNS before what it says itself; none: standard output is no terminal, or does not know.
[[nodiscard]] std::optional<std::size_t> terminal_width();

// To be called last: a full disk is an error, too.
[[nodiscard]] Outcome finish_output();

}  // namespace sekisho::cli
