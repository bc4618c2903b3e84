// SPDX-License-Identifier: BSD-3-Clause
// What every command takes that reads route files.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/options.hpp"

namespace sekisho::cli {

struct FileOptions {
  std::string format;
  std::string table;
  std::string parameters;
  bool allow_empty = false;
  // Of a command that has --allow-left-out.
  bool refuse_left_out = false;
  bool allow_left_out = false;

  // What was checked as it was parsed.
  [[nodiscard]] auto reading() const -> formats::Options;
};

// A file as an argument has it: FILE, or FILE#TABLE where no file has that name. The table goes to `options`; an
// error: --table has put another one there.
[[nodiscard]] auto file_of(const std::string& argument, formats::Options& options)
    -> tl::expected<std::filesystem::path, base::Error>;

// Adds --format, --parameters and --allow-empty. Gives them, for commands that read no files unless another option is there.
auto add_file_options(CLI::App& command, FileOptions& options) -> std::vector<CLI::Option*>;
// Adds --allow-left-out, and has files refused without it whose routes are not all known, as zones refuse them.
auto add_left_out_option(CLI::App& command, FileOptions& options) -> CLI::Option*;
// Adds --table.
auto add_table_option(CLI::App& command, FileOptions& options) -> CLI::Option*;

}  // namespace sekisho::cli
