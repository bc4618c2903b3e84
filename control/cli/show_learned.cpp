// SPDX-License-Identifier: BSD-3-Clause
// `sekisho show learned`.
#include <fmt/format.h>

#include <ctime>
#include <string>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

std::string summary_text(const Json& summary) {
  if (summary.at("learns") == false) {
    return "nothing is learned: no zone has \"bgp\" among its routes or sources, or there is no [bgp]\n";
  }
  auto text = fmt::format(
      "{} of at most {} prefixes of the kernel's table {}, protocol {}: {} refused, {} held, {} sources\n",
      value_text(summary, "learned"), value_text(summary, "max_prefixes"), value_text(summary, "table"),
      list_text(summary.at("protocols")), value_text(summary, "refused"), value_text(summary, "held"),
      value_text(summary, "sources"));
  if (summary.at("in_excess") != 0) {
    text += fmt::format("{} more are not taken: max_prefixes\n", value_text(summary, "in_excess"));
  }
  for (const auto& zone : summary.at("follows")) {
    text += fmt::format("zone {} follows the learned default\n", value_text(zone));
  }
  for (const auto* key : {"notes", "problems"}) {
    for (const auto& sentence : summary.at(key)) {
      text += value_text(sentence) + "\n";
    }
  }
  return text;
}

Cell state_cell(const Json& route) {
  if (!route.at("refused").is_null()) {
    return {"refused: " + value_text(route, "refused"), Tone::bad};
  }
  if (route.at("held") == true) {
    return {"held", Tone::bad};
  }
  return route.at("in_force") == true ? Cell{"in force", Tone::good} : Cell{"another route wins"};
}

Outcome show_learned(Context& context) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const auto summary = (*client)->ask({{"command", "show"}, {"what", "learned"}});
  if (!summary) {
    return tl::unexpected{summary.error()};
  }
  if (!(*client)->problem().empty()) {
    context.status = 1;
    fmt::print(stderr, "sekisho: {}\n", (*client)->problem());
  }
  const Json request{{"command", "show"}, {"what", "learned-routes"}};
  if (context.json) {
    auto head = summary->dump();
    head.pop_back();
    fmt::print("{},\"routes\":[", head);
    bool is_first = true;
    const auto asked = (*client)->ask_pages(request, [&](const Json& page) {
      for (const auto& route : page) {
        fmt::print("{}\n{}", is_first ? "" : ",", route.dump());
        is_first = false;
      }
    });
    fmt::print("\n]}}\n");
    return asked;
  }
  fmt::print("{}", summary_text(*summary));
  if (summary->at("learns") == false) {
    return {};
  }
  Table table{
      {{"PREFIX"}, {"NEXT-HOP"}, {"GATEWAYS"}, {"PORT"}, {"PROTOCOL"}, {"SINCE"}, {"ZONES"}, {"STATE"}}};
  return (*client)->ask_pages(request, [&](const Json& page) {
    for (const auto& route : page) {
      table.add({value_text(route, "prefix"), value_text(route, "next_hop"), list_text(route.at("gateways")),
                 list_text(route.at("ports")), value_text(route, "protocol"), date(route.at("since_unix_ms")),
                 list_text(route.at("zones")), state_cell(route)});
    }
    fmt::print("{}", table.render());
  });
}

}  // namespace

void add_show_learned(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("learned",
                                       "Routes learned from the kernel's table of [bgp]: next hop, port, "
                                       "protocol, since when, and why one is refused");
  command->footer(
      "in force            the route is the one of its prefix in the tables of these zones\n"
      "another route wins  a zone has a route of its own for the prefix, or no zone takes routes\n"
      "held                the kernel has it no more because its daemon died; it stays until that has caught "
      "up\n"
      "refused             no zone takes it, and why\n\n"
      "Examples:\n"
      "  sekisho show learned\n"
      "  sekisho show learned --json | jq '.routes[] | select(.refused != null)'\n");
  command->callback([&context] { context.run = [&context] { return show_learned(context); }; });
}

}  // namespace sekisho::cli
