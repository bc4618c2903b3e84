// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <memory>
#include <string>

#include "control/advertise/frr_conf.hpp"
#include "control/cli/bgp_apply.hpp"
#include "control/cli/bgp_watch.hpp"
#include "control/cli/command.hpp"
#include "control/cli/dataplane_socket.hpp"
#include "control/cli/output.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {
namespace {

auto read(const std::string& config) -> tl::expected<std::shared_ptr<const policy::Policy>, std::string> {
  const auto policy = policy::read(config);
  if (!policy) {
    return tl::unexpected{policy.error().to_string()};
  }
  const auto& bgp = (*policy)->config.bgp;
  if (!bgp || bgp->peers.empty()) {
    return tl::unexpected{fmt::format("{}: names no BGP peer: there is nothing for FRR to do", config)};
  }
  return *policy;
}

Outcome render(const Context& context, const std::string& config) {
  const auto policy = read(config);
  if (!policy) {
    return tl::unexpected{policy.error()};
  }
  const auto text =
      advertise::frr_conf(*(*policy)->config.bgp, (*policy)->config.guard, (*policy)->advertised);
  if (context.json) {
    print_json({{"frr_conf", text}});
  } else {
    fmt::print("{}", text);
  }
  return {};
}

auto add_config(CLI::App& command) -> std::shared_ptr<std::string> {
  auto config = std::make_shared<std::string>(default_configuration);
  command.add_option("--config", *config, "The configuration")->type_name("FILE")->capture_default_str();
  return config;
}

void add_render(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("render", "Print the frr.conf that the configuration means");
  const auto config = add_config(*command);
  command->footer(
      "It has the sessions with the peers of [bgp] and what may pass them, and never what is advertised: "
      "sekisho-control\n"
      "tells FRR that while it may be.\n\n"
      "Examples:\n"
      "  sekisho bgp render --config sekisho.toml | diff - /etc/frr/frr.conf\n");
  command->callback(
      [&context, config] { context.run = [&context, config] { return render(context, *config); }; });
}

void add_apply(CLI::App& group, Context& context) {
  auto* command =
      group.add_subcommand("apply", "Write that frr.conf where FRR reads it, and make FRR take it");
  const auto config = add_config(*command);
  auto file = std::make_shared<std::string>();
  command->add_option("--file", *file, "Write it there, and leave FRR alone (default: what FRR reads)")
      ->type_name("FILE")  // for completion
      ->option_text("FILE");
  command->footer(
      "A file that somebody else wrote stays as it is. FRR takes it without an interruption if "
      "frr-pythontools is\n"
      "installed, and what is advertised stays advertised. Exit status 1 unless FRR runs with it.\n\n"
      "Examples:\n"
      "  sekisho bgp apply                            after each change of [bgp] or \"advertise\"\n");
  command->callback([&context, config, file] {
    context.run = [&context, config, file]() -> Outcome {
      const auto policy = read(*config);
      return policy ? apply_bgp(context, **policy, *file) : tl::unexpected{policy.error()};
    };
  });
}

void add_watch(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand(
      "watch", "Withdraw what is advertised when sekisho-control is gone and cannot; a service of its own");
  auto options = std::make_shared<WatchOptions>();
  command->add_option("--config", options->config, "The configuration, for while nobody answers at --socket")
      ->type_name("FILE")
      ->capture_default_str();
  add_dataplane_socket(*command, options->dataplane_socket);
  command->footer(
      "Withdraws when sekisho-control has been gone, or has not answered, for `dead_after` of [bgp], and at "
      "once when the\n"
      "dataplane is gone as well. SIGTERM ends it; it withdraws then unless sekisho-control is there. Says "
      "on "
      "standard error\n"
      "what it does. The package runs it as sekisho-bgp-watch.service.\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return watch_bgp(context, *options); }; });
}

}  // namespace

void add_bgp(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("bgp", "FRR's part: the configuration with which it speaks to BGP peers");
  group->require_subcommand(1);
  add_render(*group, context);
  add_apply(*group, context);
  add_watch(*group, context);
}

}  // namespace sekisho::cli
