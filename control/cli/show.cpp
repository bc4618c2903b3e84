// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

using Text = std::string (*)(const Json&);

Outcome show(Context& context, const Json& request, Text text) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const auto result = (*client)->ask(request);
  if (!result) {
    return tl::unexpected{result.error()};
  }
  const auto shown = context.json ? std::string{} : text(*result);
  tell_problem(context, **client);
  context.json ? print_json(*result) : fmt::print("{}", shown);
  return {};
}

// `brief`: a line for each, as `ip -br` has it; null: there is none.
void add(CLI::App& group, Context& context, const std::string& what, const std::string& help, Text text,
         Text brief = nullptr) {
  auto* command = group.add_subcommand(what, help);
  auto is_brief = std::make_shared<bool>(false);
  if (brief != nullptr) {
    command->add_flag("--brief", *is_brief, "A line for each and no titles; -br is the same");
  }
  command->callback([&context, what, text, brief, is_brief] {
    context.run = [&context, what, text, brief, is_brief] {
      return show(context, {{"command", "show"}, {"what", what}}, *is_brief ? brief : text);
    };
  });
}

// The exit codes of `--check`: what a plugin of Nagios has for OK, WARNING, CRITICAL and UNKNOWN.
enum Check : int { is_forwarding = 0, is_degraded = 1, is_closed = 2, is_unknown = 3 };

int check_of(const Json& state) {
  const auto& verdict = state.at("verdict");
  return verdict == "forwarding" ? is_forwarding : verdict == "degraded" ? is_degraded : is_closed;
}

Outcome show_state(Context& context, bool check) {
  context.status = context.status_of_failure = check ? is_unknown : 1;
  const auto client = Client::connect(context.socket, check ? Client::short_wait : Client::longest_wait);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const auto state = (*client)->ask({{"command", "show"}, {"what", "state"}});
  if (!state) {
    return tl::unexpected{state.error()};
  }
  const auto shown = context.json ? std::string{} : state_text(*state);
  const auto status = check ? check_of(*state) : state->at("severity") == "bad" ? 1 : 0;
  context.json ? print_json(*state) : fmt::print("{}", shown);
  context.status = status;
  return {};
}

void add_state(CLI::App& group, Context& context) {
  auto check = std::make_shared<bool>(false);
  auto* command = group.add_subcommand("state",
                                       "The verdict: forwarding, degraded or closed, and why; what is wrong, "
                                       "exit status 1 when something is; then "
                                       "dataplane, uptime, transaction, memory, warnings");
  command->add_flag(
      "--check", *check,
      "Exit status 0 forwarding, 1 degraded, 2 closed, 3 unknown: sekisho-control has not answered "
      "within 8 seconds");
  command->footer(
      "forwarding  all that is configured works\n"
      "degraded    traffic is forwarded, and something is wrong: a member is dead, a port or a lock of the "
      "guard is "
      "missing\n"
      "closed      nothing is forwarded: no dataplane, or in no zone a packet could go on (of zones with "
      "internet = "
      "true, if\n"
      "            any: no port runs, or no member of the next hop of [internet] is alive)\n\n"
      "Examples:\n"
      "  sekisho show state --check                    as a check of Nagios or Icinga\n"
      "  sekisho show state --json | jq .reasons\n");
  command->callback(
      [&context, check] { context.run = [&context, check] { return show_state(context, *check); }; });
}

struct RouteOptions {
  std::string zone;
  std::string prefix;
  bool longer = false;
};

Outcome show_routes(Context& context, const RouteOptions& options) {
  Json request{{"command", "show"}, {"what", "routes"}, {"longer", options.longer}};
  if (!options.zone.empty()) {
    request["zone"] = options.zone;
  }
  if (!options.prefix.empty()) {
    request["prefix"] = options.prefix;
  }
  auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  if (context.json) {
    JsonArray array;
    const auto asked = (*client)->ask_pages(request, [&](const Json& page) {
      tell_problem(context, **client);
      for (const auto& route : page) {
        array.add(route);
      }
    });
    if (asked) {
      array.close();
    }
    return asked;
  }
  Table table{{{"ZONE"}, {"PREFIX"}, {"NEXT-HOP"}, {"ORIGIN"}, {"WRITTEN-IN"}}};
  return (*client)->ask_pages(request, [&](const Json& page) {
    tell_problem(context, **client);
    for (const auto& route : page) {
      table.add({value_text(route, "zone"), value_text(route, "prefix"), next_hop_text(route),
                 value_text(route, "origin"), place_text(route)});
    }
    fmt::print("{}", table.render());
  });
}

void add_routes(CLI::App& group, Context& context) {
  auto options = std::make_shared<RouteOptions>();
  auto* command =
      group.add_subcommand("routes", "Effective routes of the zones' tables: one a prefix, the one that won");
  command->add_option("--zone", options->zone, "Only this zone's table")->type_name("ZONE");
  auto* prefix =
      command->add_option("--prefix", options->prefix, "Only this prefix; exit status 1 when it is not there")
          ->type_name("PREFIX")
          ->check(is_prefix());
  command->add_flag("--longer", options->longer, "With --prefix: also every prefix inside it")->needs(prefix);
  command->footer(
      "Examples:\n"
      "  sekisho show routes --zone onprem\n"
      "  sekisho show routes --zone onprem --prefix 10.0.0.0/8 --longer\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return show_routes(context, *options); }; });
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("show", "Show what runs");
  group->require_subcommand(1);
  group->footer(
      "Examples:\n"
      "  sekisho show ports\n"
      "  sekisho sh po -br                             the same, in short\n"
      "  sekisho show drops --all\n"
      "  sekisho show stats --json | jq .balance\n\n"
      "Without a dataplane that answers, all but `neighbours` and `bgp` say so first and end with exit "
      "status 1.\n");
  add(*group, context, "ports", "Ports with their device, link, queues and counters", ports_text,
      ports_brief);
  add(*group, context, "zones", "Zones with their ports, sources and the size of their tables", zones_text,
      zones_brief);
  add_routes(*group, context);
  add(*group, context, "next-hops",
      "Next hops with their members: who is alive, why, since when, round trips of probes, flaps",
      next_hops_text, next_hops_brief);
  add(*group, context, "neighbours", "The kernel's neighbours on the ports", neighbours_text);
  add(*group, context, "bgp", "BGP sessions, and what is advertised since when, or why not; asked of FRR",
      bgp_text);
  add_show_learned(*group, context);
  add_show_drops(*group, context);
  add(*group, context, "stats",
      "Counters by port, and whether every packet is accounted for (since a moment: `sekisho stats`)",
      stats_text);
  add(*group, context, "config",
      "Where the configuration that runs was read, overrides in force, and what a reload would change",
      config_text);
  add_state(*group, context);
}

}  // namespace sekisho::cli
