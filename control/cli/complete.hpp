// SPDX-License-Identifier: BSD-3-Clause
// What may come next in a line: commands, options, choices, and the names of what the appliance has at this moment.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "control/cli/words.hpp"

namespace sekisho::cli {

struct Candidate {
  std::string word;
  std::string what;  // it is
};

struct Completion {
  std::vector<Candidate> candidates;
  bool wants_file = false;
};

// Of the last word, which may be empty; those before it may be abbreviated. Names are asked of sekisho-control at `socket`, which has a second to
// answer; without an answer there are none.
[[nodiscard]] auto complete(CLI::App& app, const Words& words, std::string socket) -> Completion;

// Prints it for a shell's completion: a candidate a line, with `--describe` first a tab and what it is behind it. Exit status 10: a file's name is
// wanted. `words` are those behind `sekisho complete`.
[[nodiscard]] int print_completion(CLI::App& app, Words words, std::string socket);

}  // namespace sekisho::cli
