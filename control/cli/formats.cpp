// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/format.hpp"

#include <fmt/format.h>

#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/table.hpp"

namespace sekisho::cli {
namespace {

Json formats_json() {
  auto result = Json::array();
  for (const auto& row : formats::formats()) {
    result.push_back(
        {{"name", row.name}, {"holds", row.holds}, {"from", row.from}, {"written", row.write != nullptr}});
  }
  return result;
}

// For the manual.
std::string format_lines() {
  std::string result;
  for (const auto& row : formats::formats()) {
    result += fmt::format("  {:<28} {}\n", row.name, row.from);
  }
  return result;
}

void print_formats() {
  Table table{{{"NAME"}, {"HOLDS"}, {"FROM"}}};
  for (const auto& row : formats::formats()) {
    table.add({std::string{row.name}, std::string{row.holds}, std::string{row.from}});
  }
  fmt::print("{}", table.render());
}

}  // namespace

void add_formats(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("formats", "List the formats of route files that are read");
  command->footer(
      "Formats:\n" + format_lines() +
      "\n"
      "Which one a file has its content tells, never its name. A file that may be in any of several is "
      "refused, "
      "and\n"
      "--format NAME says of it which. gzip, bzip2, xz and zstd are read as what they hold. Those that "
      "`routes convert "
      "--to`\n"
      "writes as well, --json tells (\"written\").\n\n"
      "Examples:\n"
      "  sekisho formats\n"
      "  sekisho formats --json | jq -r '.[] | select(.written).name'\n"
      "  sekisho lookup --format text --routes odd-file 1.1.1.1\n");
  command->callback([&context] {
    context.run = [&context]() -> Outcome {
      context.json ? print_json(formats_json()) : print_formats();
      return {};
    };
  });
}

}  // namespace sekisho::cli
