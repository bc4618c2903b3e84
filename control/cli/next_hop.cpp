// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

struct DrainOptions {
  std::string next_hop;
  std::string member;
  bool force = false;
};

// As `show next-hops` has it.
auto member_now(const Context& context, const DrainOptions& options) -> tl::expected<Json, std::string> {
  const auto all = ask(context, {{"command", "show"}, {"what", "next-hops"}});
  if (!all) {
    return all;
  }
  for (const auto& next_hop : *all) {
    for (const auto& member : next_hop.at("members")) {
      if (next_hop.at("name") == options.next_hop && member.at("address") == options.member) {
        return member;
      }
    }
  }
  return tl::unexpected(
      fmt::format("next hop {} has no member {} any more", options.next_hop, options.member));
}

// Whether the dataplane itself says so, before long.
auto wait_for_dataplane(const Context& context, const DrainOptions& options, bool drained) -> Outcome {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (std::chrono::steady_clock::now() < deadline) {
    const auto member = member_now(context, options);
    if (!member) {
      return tl::unexpected(member.error());
    }
    if (member->value("drained_in_dataplane", Json(nullptr)) == drained) {
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return tl::unexpected(
      std::string{"it is kept, but the dataplane has not taken it within 10 seconds (sekisho show state)"});
}

// Packets that were sent to the member in a second from now.
auto count_for_a_second(const Context& context, const DrainOptions& options)
    -> tl::expected<std::uint64_t, std::string> {
  const auto packets = [&]() -> tl::expected<std::uint64_t, std::string> {
    return member_now(context, options).map([](const Json& member) {
      return member.contains("traffic") ? member.at("traffic").at("packets").get<std::uint64_t>() : 0;
    });
  };
  const auto before = packets();
  if (!before) {
    return before;
  }
  std::this_thread::sleep_for(std::chrono::seconds{1});
  return packets().map([&](std::uint64_t after) { return after - *before; });
}

Outcome change(const Context& context, const DrainOptions& options, bool drained) {
  if (drained && !context.json) {
    fmt::print(
        "The flows of {} move to the other members of {} at once: no table of flows is kept, and a firewall "
        "may "
        "refuse one that it has not seen.\n",
        options.member, options.next_hop);
  }
  auto result = ask(context, {{"command", "next-hop"},
                              {"verb", drained ? "drain" : "undrain"},
                              {"next_hop", options.next_hop},
                              {"member", options.member},
                              {"force", options.force}});
  if (!result) {
    return tl::unexpected(result.error());
  }
  std::optional<std::uint64_t> packets;
  if (result->at("dataplane_connected") == true) {
    if (auto done = wait_for_dataplane(context, options, drained); !done) {
      return done;
    }
    if (drained) {
      const auto counted = count_for_a_second(context, options);
      if (!counted) {
        return tl::unexpected(counted.error());
      }
      packets = *counted;
    }
  }
  if (context.json) {
    (*result)["packets_in_the_second_after"] = packets ? Json(*packets) : Json(nullptr);
    print_json(*result);
    return {};
  }
  fmt::print("{} of next hop {} {}{}\n", options.member, options.next_hop,
             result->at("changed") == true ? "" : "was already ", drained ? "is drained" : "takes flows");
  if (packets) {
    fmt::print("{} packets were sent to it in the second after\n", *packets);
  } else if (result->at("dataplane_connected") == false) {
    fmt::print("kept; the dataplane is not connected and gets it when it is\n");
  }
  return {};
}

void add_verb(CLI::App& group, Context& context, bool drained, const std::string& help) {
  auto options = std::make_shared<DrainOptions>();
  auto* command = group.add_subcommand(drained ? "drain" : "undrain", help);
  command->add_option("name", options->next_hop, "A next hop of the configuration")
      ->type_name("NEXT-HOP")
      ->required();
  command->add_option("member", options->member, "One of its members")
      ->type_name("MEMBER")
      ->check(is_address())
      ->required();
  if (drained) {
    command->add_flag("--force", options->force, "Also the last living member: its traffic is dropped then");
  }
  command->callback([&context, options, drained] {
    context.run = [&context, options, drained] { return change(context, *options, drained); };
  });
}

}  // namespace

void add_next_hop(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("next-hop", "Take a member out of its next hop for now, and put it back");
  group->require_subcommand(1);
  group->footer(
      "A drained member takes no flow until it is undrained, over a restart of sekisho-control and of the "
      "dataplane, too.\n"
      "Only its own flows move, at once: the appliance keeps no table of flows, so connections that are open "
      "do "
      "not stay\n"
      "until they end, and a stateful firewall may refuse what it has not seen the beginning of. Undrained, "
      "it "
      "gets the same\n"
      "flows back. `sekisho show next-hops` says which members are drained. A reload that removes the member "
      "forgets it.\n\n"
      "Examples:\n"
      "  sekisho next-hop drain firewall 10.0.2.11\n"
      "  sekisho next-hop undrain firewall 10.0.2.11\n");
  add_verb(*group, context, true, "Let no flow go to the member; refused where it is the last living one");
  add_verb(*group, context, false, "Let its flows go to the member again");
}

}  // namespace sekisho::cli
