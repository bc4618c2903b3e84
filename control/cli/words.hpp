// SPDX-License-Identifier: BSD-3-Clause
// What somebody types, as words of the grammar: abbreviations written out, and where a line that is not finished has come to.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::cli {

using Words = std::vector<std::string>;

// As a shell does it: blanks separate, '..' and ".." hold together, a backslash takes what follows as it is. The error is a sentence.
[[nodiscard]] auto split_words(std::string_view line) -> tl::expected<Words, std::string>;

// The commands that are listed, without groups of options.
[[nodiscard]] auto listed_commands(const CLI::App& app) -> std::vector<CLI::App*>;

// Commands that are begun by enough letters become whole: "sh po" is "show ports". An exact name wins; of several that begin so the one
// that has a command which the next word begins. Options and what belongs to them stay, but for "-br", which is --brief as in ip(8).
// The error names what it may be. What changes something has to be written whole: the error says so, but not of a line that is
// unfinished. With `is_unfinished` the last word stays as it is, and only decides about those before it.
[[nodiscard]] auto written_out(CLI::App& app, const Words& words, bool is_unfinished = false)
    -> tl::expected<Words, std::string>;

// Behind words that are whole.
struct Position {
  CLI::App* command = nullptr;
  const CLI::Option* awaits = nullptr;  // a value of this option comes next; null: none has to
  Words given;                          // the command's arguments until here
};
[[nodiscard]] auto position_behind(CLI::App& app, const Words& words) -> Position;

}  // namespace sekisho::cli
