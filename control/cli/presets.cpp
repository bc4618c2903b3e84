// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "common/base/prefix.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/cli/table.hpp"
#include "control/policy/kms.hpp"

namespace sekisho::cli {
namespace {

Json presets() {
  auto result = Json::array();
  for (const auto cloud : policy::kms_clouds) {
    for (const auto& server : policy::kms_servers(cloud)) {
      result.push_back({{"preset", "kms"},
                        {"cloud", cloud},
                        {"prefix", base::to_string(server.prefix)},
                        {"name", server.name},
                        {"source", policy::kms_source}});
    }
  }
  return result;
}

void print_presets(const Json& presets) {
  Table table{{{"PRESET"}, {"CLOUD"}, {"PREFIX"}, {"NAME"}, {"SOURCE"}}};
  for (const auto& preset : presets) {
    table.add({value_text(preset, "preset"), value_text(preset, "cloud"), value_text(preset, "prefix"),
               value_text(preset, "name"), value_text(preset, "source")});
  }
  fmt::print("{}", table.render());
}

}  // namespace

void add_presets(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("presets", "List the routes that a configuration can name as a preset");
  command->footer(
      "A zone gets those of a cloud by an entry of its \"routes\":\n"
      "  { preset = \"kms\", cloud = \"public\", next_hop = \"Internet\" }\n\n"
      "Examples:\n"
      "  sekisho presets\n"
      "  sekisho presets --json\n");
  command->callback([&context] {
    context.run = [&context]() -> Outcome {
      context.json ? print_json(presets()) : print_presets(presets());
      return {};
    };
  });
}

}  // namespace sekisho::cli
