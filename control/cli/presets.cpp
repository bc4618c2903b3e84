// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/cli/table.hpp"
#include "control/config/presets.hpp"

namespace sekisho::cli {
namespace {

// A row for each host and each tag of a preset in a cloud.
Json presets(const std::string& only) {
  auto result = Json::array();
  for (const auto& preset : config::route_presets()) {
    if (!only.empty() && preset.name != only) {
      continue;
    }
    for (const auto cloud : config::preset_clouds) {
      const auto add = [&](Json prefix, Json tag, std::string_view name, bool routable) {
        result.push_back({{"preset", preset.name},
                          {"cloud", cloud},
                          {"prefix", std::move(prefix)},
                          {"tag", std::move(tag)},
                          {"name", name},
                          {"routable", routable},
                          {"what", preset.what},
                          {"source", preset.source},
                          {"date", preset.date}});
      };
      for (const auto& host : preset.hosts_in(cloud)) {
        add(base::to_string(host.prefix), nullptr, host.name, true);
      }
      for (const auto& tag : preset.tags) {
        add(nullptr, tag.name, tag.name, preset.is_routable(tag, cloud));
      }
    }
  }
  return result;
}

void print_presets(const Json& presets, const std::string& only) {
  Table table{{{"PRESET"}, {"CLOUD"}, {"DESTINATION"}, {"NAME"}, {"ROUTABLE"}}};
  for (const auto& preset : presets) {
    const auto is_tag = preset["prefix"].is_null();
    table.add({value_text(preset, "preset"), value_text(preset, "cloud"),
               is_tag ? "service tag" : value_text(preset, "prefix"), value_text(preset, "name"),
               preset["routable"].get<bool>() ? "yes" : "no, left out"});
  }
  Table sources{{{"PRESET"}, {"WHAT"}, {"DATE"}, {"SOURCE"}}};
  for (const auto& preset : config::route_presets()) {
    if (!only.empty() && preset.name != only) {
      continue;
    }
    sources.add({std::string{preset.name}, std::string{preset.what}, std::string{preset.date},
                 std::string{preset.source}});
  }
  fmt::print("{}\n{}", table.render(), sources.render());
}

}  // namespace

void add_presets(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("presets", "List the routes that a configuration can name as a preset");
  auto name = std::make_shared<std::string>();
  command->add_option("preset", *name, "Only this one")
      ->type_name("PRESET")
      ->check([](const std::string& word) {
        return config::find_preset(word) != nullptr ? std::string{} : "there is no preset " + word;
      });
  command->footer(
      "A zone gets those of a cloud by an entry of its \"routes\":\n"
      "  { preset = \"kms\", cloud = \"public\", next_hop = \"Internet\" }\n\n"
      "Those with service tags need service_tags in [azure]; a tag that is no destination of a route in a "
      "cloud is left out\n"
      "there. What leaves for the Internet past the firewall leaves by [internet].exit, whose subnet in "
      "Azure "
      "needs outbound of\n"
      "its own: a NAT gateway, a public address or an outbound rule.\n\n"
      "Examples:\n"
      "  sekisho presets\n"
      "  sekisho presets kms\n"
      "  sekisho presets --json\n");
  command->callback([&context, name] {
    context.run = [&context, name]() -> Outcome {
      context.json ? print_json(presets(*name)) : print_presets(presets(*name), *name);
      return {};
    };
  });
}

}  // namespace sekisho::cli
