// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/grammar.hpp"

#include <fmt/format.h>

#include "common/base/version.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {

auto new_app() -> std::unique_ptr<CLI::App> {
  return std::make_unique<CLI::App>(
      "Shows and explains what a Sekisho appliance does with traffic, and applies changed configuration.\n"
      "Without a daemon: check, routes, lookup --routes, explain --config, effective-routes --vnet, diff, "
      "presets,\n"
      "doctor, guard. The others ask sekisho-control.",
      "sekisho");
}

void add_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", fmt::format("sekisho {}", base::version()));
  app.add_option("--socket", context.socket, "Where sekisho-control listens")
      ->type_name("PATH")
      ->take_last()  // one in a line of `sekisho shell` stands behind the shell's
      ->capture_default_str();
  app.add_flag("--json", context.json, "Print JSON instead of text; every command has it");
  add_color_option(app);
  app.footer(
      "Exit status: 0 done, 1 refused, not found or something is wrong, 2 wrong usage. `sekisho COMMAND "
      "--help` shows a "
      "command's options.\n"
      "A command may be begun by as many letters as no other begins with: `sekisho sh po`. One that changes\n"
      "something has to be written whole.\n\n"
      "Examples:\n"
      "  sekisho check --config sekisho.toml          is this configuration good?\n"
      "  sekisho reload                               apply it\n"
      "  sekisho explain 172.16.0.10 1.1.1.1          why does this packet go where it goes?\n"
      "  sekisho show drops                           what was refused, and why\n"
      "  sekisho top                                  what passes at this moment\n");
  add_check(app, context);
  add_reload(app, context);
  add_route(app, context);
  add_next_hop(app, context);
  add_show(app, context);
  add_route_files(app, context);
  add_lookup(app, context);
  add_explain(app, context);
  add_presets(app, context);
  add_formats(app, context);
  add_keys(app, context);
  add_effective_routes(app, context);
  add_diff(app, context);
  add_prove(app, context);
  add_top(app, context);
  add_doctor(app, context);
  add_guard(app, context);
  add_monitor(app, context);
  add_capture(app, context);
  add_trace(app, context);
  add_history(app, context);
  add_drain(app, context);
  add_bgp(app, context);
  add_map(app, context);
  add_stats(app, context);
  add_shell(app, context);
  add_version(app, context);
}

}  // namespace sekisho::cli
