// SPDX-License-Identifier: BSD-3-Clause
// What every command takes that reads route files.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "control/formats/options.hpp"

namespace sekisho::cli {

struct FileOptions {
  std::string format;
  bool allow_empty = false;

  // What was checked as it was parsed.
  [[nodiscard]] auto reading() const -> formats::Options;
};

// Adds --format and --allow-empty. Gives them, for commands that read no files unless another option is there.
auto add_file_options(CLI::App& command, FileOptions& options) -> std::vector<CLI::Option*>;

}  // namespace sekisho::cli
