// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/file_options.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/base/text.hpp"
#include "control/formats/format.hpp"

namespace sekisho::cli {
namespace {

CLI::Validator is_format() {
  return {[](std::string& name) {
            if (formats::find_format(name) != nullptr) {
              return std::string{};
            }
            std::vector<std::string_view> names;
            for (const auto& row : formats::formats()) {
              names.push_back(row.name);
            }
            return "there is no format " + base::in_quotes(name) + base::suggestion(name, names) +
                   "; `sekisho formats` lists them";
          },
          ""};
}

}  // namespace

auto FileOptions::reading() const -> formats::Options {
  formats::Options result;
  if (const auto* row = formats::find_format(format)) {
    result.format = row->format;
  }
  result.table = table;
  result.parameters = parameters;
  result.empty = formats::empty_if(allow_empty);
  result.refuse_left_out = refuse_left_out && !allow_left_out;
  return result;
}

auto file_of(const std::string& argument, formats::Options& options)
    -> tl::expected<std::filesystem::path, base::Error> {
  const auto hash = argument.rfind('#');
  std::error_code ignored;
  if (hash == std::string::npos || std::filesystem::exists(argument, ignored)) {
    return argument;
  }
  const std::filesystem::path file = argument.substr(0, hash);
  auto table = argument.substr(hash + 1);
  if (!options.table.empty() && !base::equal_without_case(options.table, table)) {
    return tl::unexpected{base::Error{file, 0,
                                      fmt::format("the table is {} by its #, and {} by --table",
                                                  base::in_quotes(table), base::in_quotes(options.table))}};
  }
  options.table = std::move(table);
  return file;
}

auto add_file_options(CLI::App& command, FileOptions& options) -> std::vector<CLI::Option*> {
  return {
      command
          .add_option("--format", options.format,
                      "Read files as this (`sekisho formats` lists them), whatever their content looks like")
          ->type_name("FORMAT")
          ->check(is_format()),
      command
          .add_option("--parameters", options.parameters,
                      "Of an ARM template: what its deployment passes (deploymentParameters.json)")
          ->type_name("FILE"),
      command.add_flag("--allow-empty", options.allow_empty,
                       "Read files without routes, too, which else are an error")};
}

auto add_left_out_option(CLI::App& command, FileOptions& options) -> CLI::Option* {
  options.refuse_left_out = true;
  return command.add_flag(
      "--allow-left-out", options.allow_left_out,
      "Go on without the routes that a template or plan leaves open, which else are an error");
}

auto add_table_option(CLI::App& command, FileOptions& options) -> CLI::Option* {
  return command
      .add_option("--table", options.table,
                  "Of files with several route tables: which, as FILE#TABLE says it of one")
      ->type_name("TABLE");
}

}  // namespace sekisho::cli
