// SPDX-License-Identifier: BSD-3-Clause
#include <memory>
#include <string>

#include "control/cli/applied.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/route_batch.hpp"
#include "control/cli/route_save.hpp"

namespace sekisho::cli {
namespace {

struct OverrideOptions {
  std::string zone;
  std::string prefix;
  std::string next_hop;
};

Outcome change(const Context& context, const std::string& verb, const OverrideOptions& options) {
  Json request{{"command", "route"}, {"verb", verb}, {"zone", options.zone}, {"prefix", options.prefix}};
  if (!options.next_hop.empty()) {
    request["next_hop"] = options.next_hop;
  }
  const auto result = ask(context, request);
  if (!result) {
    return tl::unexpected{result.error()};
  }
  context.json ? print_json(*result) : print_applied(*result);
  return {};
}

void add_verb(CLI::App& group, Context& context, const std::string& verb, const std::string& help,
              bool with_next_hop) {
  auto options = std::make_shared<OverrideOptions>();
  auto* command = group.add_subcommand(verb, help);
  command->add_option("--zone", options->zone, "Whose table")->type_name("ZONE")->required();
  command->add_option("prefix", options->prefix, "Which destinations")
      ->type_name("PREFIX")
      ->check(is_prefix())
      ->required();
  if (with_next_hop) {
    command->add_option("next-hop", options->next_hop, "A next hop of the configuration, None or Internet")
        ->type_name("NEXT-HOP")
        ->required();
  }
  command->callback([&context, verb, options] {
    context.run = [&context, verb, options] { return change(context, verb, *options); };
  });
}

}  // namespace

void add_route(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("route", "Override a zone's User routes until the next reload");
  group->require_subcommand(1);
  group->footer(
      "An override changes what runs, as one transaction, and no file. It stands until the next reload; it "
      "outlives a "
      "restart\n"
      "of the dataplane, but not one of sekisho-control, and no rollback. `sekisho route save` keeps it. To "
      "Internet "
      "goes\n"
      "nothing shorter than /8, as in the configuration.\n\n"
      "Examples:\n"
      "  sekisho route add --zone onprem 198.51.100.0/24 second-gateway\n"
      "  sekisho route replace --zone onprem 20.118.99.224/32 Internet\n"
      "  sekisho route del --zone onprem 198.51.100.0/24\n"
      "  sekisho route batch changes.txt\n"
      "  sekisho route list\n"
      "  sekisho route save /etc/sekisho/overrides.txt\n");
  add_verb(*group, context, "add", "Add a User route; refused where the prefix has one", true);
  add_verb(*group, context, "replace", "Change the prefix's User route, or add one", true);
  add_verb(*group, context, "del",
           "Remove the prefix's User routes, the files' too; refused where there is none", false);
  add_route_batch(*group, context);
  add_route_list(*group, context);
  add_route_save(*group, context);
}

}  // namespace sekisho::cli
