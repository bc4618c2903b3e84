// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <net/if.h>

#include <memory>
#include <string>
#include <utility>

#include "common/xdp/counters.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {
namespace {

struct DropsOptions {
  bool all = false;
  bool last = false;
  std::string reason;
};

Outcome ask(Context& context, const Json& request, Json& result) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  auto answer = (*client)->ask(request);
  if (!answer) {
    return tl::unexpected{answer.error()};
  }
  result = std::move(*answer);
  return {};
}

Outcome show_last_drops(Context& context, const std::string& reason) {
  Json packets;
  if (auto asked = ask(context, {{"command", "show"}, {"what", "last-drops"}}, packets); !asked) {
    return asked;
  }
  auto shown = Json::array();
  for (auto& packet : packets) {
    if (reason.empty() || packet.at("reason") == reason) {
      shown.push_back(std::move(packet));
    }
  }
  context.json ? print_json(shown) : fmt::print("{}", last_drops_text(shown));
  return {};
}

// The steering program stays where no dataplane is, and drops: it is asked itself, and by whoever may, since sekisho-control may not.
// Null: no interface is steered, or this process may not ask.
Json dropped_by_steering(bool all) {
  Json result;
  const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> interfaces{::if_nameindex(),
                                                                                     &if_freenameindex};
  for (const auto* each = interfaces.get(); each != nullptr && each->if_index != 0; ++each) {
    const auto counters = xdp::counters_of(static_cast<int>(each->if_index));
    if (!counters.empty() && result.is_null()) {
      result = Json::array();
    }
    for (const auto& [counter, packets] : counters) {
      if (serve::steer_verdict(counter) == serve::SteerVerdict::dropped && (packets != 0 || all)) {
        result.push_back({{"port", nullptr},
                          {"interface", each->if_name},
                          {"by", "steering"},
                          {"reason", counter},
                          {"packets", packets},
                          {"sentence", serve::sentence_of(counter)}});
      }
    }
  }
  return result;
}

Outcome show_drops(Context& context, bool all) {
  Json drops;
  const auto asked = ask(context, {{"command", "show"}, {"what", "drops"}, {"all", all}}, drops);
  if (!asked) {
    drops = dropped_by_steering(all);
    if (drops.is_null()) {
      return asked;
    }
  }
  context.json ? print_json(drops) : fmt::print("{}", drops_text(drops));
  return asked;
}

}  // namespace

void add_show_drops(CLI::App& group, Context& context) {
  auto options = std::make_shared<DropsOptions>();
  auto* command =
      group.add_subcommand("drops", "Packets refused, by port and reason, with what each reason means");
  auto* all = command->add_flag("--all", options->all, "Also reasons that never occurred");
  auto* last = command->add_flag("--last", options->last,
                                 "The newest packets that the dataplane dropped, up to eight of each reason: "
                                 "always kept, and the newest first");
  last->excludes(all);
  command->add_option("--reason", options->reason, "With --last: only packets dropped for this")
      ->type_name("REASON")
      ->needs(last)
      ->check(is_drop_reason());
  command->footer(
      "Without a dataplane, what steering programs drop meanwhile is read of them, by interface, which takes "
      "root; exit "
      "status 1.\n"
      "What the steering program or the device drops comes to no worker, so that no packet of it can be "
      "shown.\n"
      "A packet is shown as it was when it was dropped.\n\n"
      "Examples:\n"
      "  sekisho show drops --last\n"
      "  sekisho show drops --last --reason unknown_source --json | jq -r '.[].ip.source'\n");
  command->callback([&context, options] {
    context.run = [&context, options] {
      return options->last ? show_last_drops(context, options->reason) : show_drops(context, options->all);
    };
  });
}

}  // namespace sekisho::cli
