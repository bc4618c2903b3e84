#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "common/base/detached_read.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Shows and explains what a Sekisho appliance does with traffic, and applies changed configuration.\n"
      "Without a daemon: check, routes, lookup --routes, explain --config, effective-routes --vnet, diff, "
      "presets,\n"
      "doctor, guard. The others ask sekisho-control.",
      "sekisho"};
  sekisho::cli::Context context;
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "sekisho " SEKISHO_VERSION);
  app.add_option("--socket", context.socket, "Where sekisho-control listens")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_flag("--json", context.json, "Print JSON instead of text; every command has it");
  app.footer(
      "Exit status: 0 done, 1 refused, not found or something is wrong, 2 wrong usage. `sekisho COMMAND "
      "--help` shows a "
      "command's options.\n\n"
      "Examples:\n"
      "  sekisho check --config sekisho.toml          is this configuration good?\n"
      "  sekisho reload                               apply it\n"
      "  sekisho explain 172.16.0.10 1.1.1.1          why does this packet go where it goes?\n"
      "  sekisho show drops                           what was refused, and why\n"
      "  sekisho top                                  what passes at this moment\n");
  sekisho::cli::add_check(app, context);
  sekisho::cli::add_reload(app, context);
  sekisho::cli::add_route(app, context);
  sekisho::cli::add_show(app, context);
  sekisho::cli::add_route_files(app, context);
  sekisho::cli::add_lookup(app, context);
  sekisho::cli::add_explain(app, context);
  sekisho::cli::add_presets(app, context);
  sekisho::cli::add_effective_routes(app, context);
  sekisho::cli::add_diff(app, context);
  sekisho::cli::add_top(app, context);
  sekisho::cli::add_doctor(app, context);
  sekisho::cli::add_guard(app, context);
  sekisho::cli::add_version(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // A command with a slip in its name is what is wrong, not that there is no command.
    const auto unknown = app.remaining(true);
    static_cast<void>(unknown.empty() ? app.exit(error) : app.exit(CLI::ExtrasError{unknown}));
    return 2;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto outcome = context.run();
  if (const auto written = sekisho::cli::finish_output(); outcome && !written) {
    outcome = written;
  }
  if (!outcome) {
    fmt::print(stderr, "sekisho: {}\n", outcome.error());
    return 1;
  }
  return context.status;
}

}  // namespace

int main(int argc, char** argv) {
  int status = 1;
  try {
    status = run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("sekisho: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sekisho: %s\n", error.what());
  }
  // A thread may still wait for a file that does not answer.
  if (sekisho::base::threads_that_read() != 0) {
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}
