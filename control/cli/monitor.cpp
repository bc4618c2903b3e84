// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

void print_event(const Json& event, bool json) {
  if (json) {
    fmt::print("{}\n", event.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    fmt::print("{}  {:<8} {}\n", value_text(event, "time"), value_text(event, "event"),
               value_text(event, "sentence"));
  }
}

// Until the reader goes away, a signal ends it, or sekisho-control does.
Outcome monitor(const Context& context) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  Outcome written;
  const auto asked = (*client)->ask_pages(
      {{"command", "monitor"}},
      [&](const Json& page) {
        for (const auto& event : page) {
          print_event(event, context.json);
        }
        written = finish_output();
      },
      [&] { return written.has_value(); });
  return asked ? written : asked;
}

}  // namespace

void add_monitor(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("monitor", "Print what changes, a line an event, until it is ended");
  command->footer(
      "The verdict first as it is, then whenever it changes: time, event and sentence. --json prints an "
      "object a "
      "line, with\n"
      "\"time\", \"event\", \"sentence\" and what the event has of its own:\n\n"
      "  verdict   \"verdict\" (forwarding, degraded, closed), \"reasons\", \"before\"\n"
      "  problem   \"state\" (begins, ends), \"kind\", \"severity\", \"subject\": what `sekisho show state` "
      "lists: ports, "
      "links,\n"
      "            next hops, the dataplane, the guard\n"
      "  member    \"member\", \"next_hops\", \"alive\", \"why\"\n"
      "  reload    \"applied\", \"transaction\", \"why\"\n"
      "  trial     \"outcome\" (begun, confirmed, taken back): of `sekisho reload --confirm`\n"
      "  drain     \"draining\"\n"
      "  lost      \"count\": events that were lost because this was read too slowly\n\n"
      "Ends with exit status 1 when sekisho-control ends.\n\n"
      "Examples:\n"
      "  sekisho monitor\n"
      "  sekisho monitor --json | jq -c 'select(.event == \"verdict\")'\n");
  command->callback([&context] { context.run = [&context] { return monitor(context); }; });
}

}  // namespace sekisho::cli
