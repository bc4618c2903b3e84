// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "common/base/detached_read.hpp"
#include "common/base/version.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace {

using sekisho::cli::Context;
using sekisho::cli::Outcome;

void add_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", fmt::format("sekisho {}", sekisho::base::version()));
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
  sekisho::cli::add_next_hop(app, context);
  sekisho::cli::add_show(app, context);
  sekisho::cli::add_route_files(app, context);
  sekisho::cli::add_lookup(app, context);
  sekisho::cli::add_explain(app, context);
  sekisho::cli::add_presets(app, context);
  sekisho::cli::add_formats(app, context);
  sekisho::cli::add_keys(app, context);
  sekisho::cli::add_effective_routes(app, context);
  sekisho::cli::add_diff(app, context);
  sekisho::cli::add_prove(app, context);
  sekisho::cli::add_top(app, context);
  sekisho::cli::add_doctor(app, context);
  sekisho::cli::add_guard(app, context);
  sekisho::cli::add_monitor(app, context);
  sekisho::cli::add_capture(app, context);
  sekisho::cli::add_trace(app, context);
  sekisho::cli::add_history(app, context);
  sekisho::cli::add_drain(app, context);
  sekisho::cli::add_bgp(app, context);
  sekisho::cli::add_version(app, context);
}

Outcome run_command(const Context& context) {
  try {
    auto outcome = context.run();
    const auto written = sekisho::cli::finish_output();
    return outcome ? written : outcome;
  } catch (const sekisho::cli::Json::exception& error) {
    return tl::unexpected{fmt::format(
        "sekisho-control at {} gave an answer that this version does not understand ({}): is it of another "
        "version? `systemctl restart sekisho-control` starts the one that is installed",
        context.socket, error.what())};
  } catch (const std::bad_alloc&) {
    return tl::unexpected{std::string{"out of memory"}};
  } catch (const std::exception& error) {
    return tl::unexpected{std::string{error.what()}};
  }
}

// On a thread of its own, which stays behind when a file does not answer. Signals are the command's: one that waits for
// sekisho-control or for a key ends by them.
Outcome run_within(const Context& context) {
  namespace base = sekisho::base;
  using Result = tl::expected<Outcome, base::Error>;
  base::DetachedRead<Result> command{
      "the command", [&context]() -> Result { return run_command(context); },
      [](base::Error error) -> Result { return tl::unexpected{std::move(error)}; }};
  sigset_t all{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  auto result = command.wait(base::usual_patience);
  return result ? *result : tl::unexpected{result.error().to_string()};
}

int run(int argc, char** argv, CLI::App& app, const Context& context) {
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
  const auto outcome = run_within(context);
  if (!outcome) {
    fmt::print(stderr, "sekisho: {}\n", outcome.error());
    return context.status_of_failure;
  }
  return context.status;
}

}  // namespace

int main(int argc, char** argv) {
  // They outlive the thread of a command that is left behind.
  CLI::App app{
      "Shows and explains what a Sekisho appliance does with traffic, and applies changed configuration.\n"
      "Without a daemon: check, routes, lookup --routes, explain --config, effective-routes --vnet, diff, "
      "presets,\n"
      "doctor, guard. The others ask sekisho-control.",
      "sekisho"};
  Context context;
  add_commands(app, context);
  const int status = run(argc, argv, app, context);
  if (sekisho::base::threads_that_read() != 0) {
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}
