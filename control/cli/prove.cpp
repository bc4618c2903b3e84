// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/prove.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/prove_against.hpp"
#include "control/cli/show_tables.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/policy/policy.hpp"
#include "control/prove/prove.hpp"

namespace sekisho::cli {
namespace {

struct ProveOptions {
  std::string config;
  std::string against;
  bool exit_code = false;
};

using Proofs = std::vector<Json>;

tl::expected<Proofs, std::string> prove_file(const std::string& file) {
  const auto policy =
      policy::read(file, netlink::addresses_by(netlink::snapshot().value_or(netlink::Mirror{})));
  if (!policy) {
    return tl::unexpected{policy.error().to_string()};
  }
  Proofs result;
  for (const auto& proof : prove::prove(**policy)) {
    result.push_back(serve::proof_json(proof, **policy));
  }
  return result;
}

tl::expected<Proofs, std::string> prove_running(Context& context) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  Proofs result;
  const auto asked = (*client)->ask_pages({{"command", "prove"}}, [&](const Json& page) {
    result.insert(result.end(), page.begin(), page.end());
  });
  if (!asked) {
    return tl::unexpected{asked.error()};
  }
  tell_problem(context, **client);
  return result;
}

std::string route_text(const Json& route) {
  return route.at("prefix").is_null()
             ? value_text(route, "written")
             : fmt::format("{} route {} to {}, {}", value_text(route, "origin"), value_text(route, "prefix"),
                           value_text(route, "next_hop"), value_text(route, "written"));
}

void print_counterexample(const Json& proof) {
  const auto& example = proof.at("counterexample");
  const auto source =
      example.at("source").is_null() ? "whoever will be in the zone" : value_text(example, "source");
  const auto zone =
      example.at("zone").is_null() ? std::string{"in no zone"}
      : example.at("source_prefix").is_null()
          ? "zone " + value_text(example, "zone")
          : fmt::format("zone {} by {}", value_text(example, "zone"), value_text(example, "source_prefix"));
  fmt::print("  packet   {} ({}) to {}\n", source, zone, value_text(example, "destination"));
  fmt::print("  decides  {}\n", route_text(example.at("route")));
}

void print_offenders(const Json& proof) {
  const auto& offenders = proof.at("offenders");
  if (offenders.size() < 2) {
    return;
  }
  Table table{{{"  ZONE"}, {"PREFIX"}, {"NEXT-HOP"}, {"ORIGIN"}, {"DESTINATIONS", true}, {"WRITTEN-IN"}}};
  for (const auto& offender : offenders) {
    const auto& route = offender.at("route");
    table.add({"  " + (offender.at("zone").is_null() ? std::string{"-"} : value_text(offender, "zone")),
               value_text(route, "prefix"), value_text(route, "next_hop"), value_text(route, "origin"),
               value_text(offender, "destinations"), value_text(route, "written")});
  }
  fmt::print("{}", table.render());
  if (offenders.size() == prove::most_offenders) {
    fmt::print("  and perhaps others\n");
  }
}

void print_proof(const Json& proof) {
  const bool holds = proof.at("holds") == true;
  const auto place = fmt::format("{}:{}", value_text(proof, "file"), value_text(proof, "line"));
  fmt::print("{}  {} ({}{})\n", holds ? toned("holds", Tone::good) : toned("FALSE", Tone::bad),
             value_text(proof, "name"), proof.at("built_in") == true ? "built in, of " : "", place);
  if (proof.at("name") != proof.at("statement")) {
    fmt::print("  that is  {}\n", value_text(proof, "statement"));
  }
  if (!proof.at("says_nothing").is_null()) {
    fmt::print("  says nothing: {}\n", value_text(proof, "says_nothing"));
    return;
  }
  if (holds) {
    fmt::print("  for      {} destination addresses\n", value_text(proof, "spoken"));
    return;
  }
  const auto pairs = proof.at("pairs").is_null()
                         ? std::string{}
                         : fmt::format(", {} pairs of source and destination", value_text(proof, "pairs"));
  fmt::print("  for      {} of {} destination addresses{}\n", value_text(proof, "destinations"),
             value_text(proof, "spoken"), pairs);
  print_counterexample(proof);
  print_offenders(proof);
}

Outcome run_prove(Context& context, const ProveOptions& options) {
  const bool online = options.config.empty();
  const auto proofs = online ? prove_running(context) : prove_file(options.config);
  if (!proofs) {
    return tl::unexpected{proofs.error()};
  }
  const auto broken = static_cast<std::size_t>(
      std::ranges::count_if(*proofs, [](const Json& proof) { return proof.at("holds") != true; }));
  if (broken != 0) {
    context.status = 1;
  }
  if (context.json) {
    print_json({{"of", online ? "running" : options.config}, {"false", broken}, {"assertions", *proofs}});
    return {};
  }
  for (const auto& proof : *proofs) {
    print_proof(proof);
  }
  if (proofs->empty()) {
    fmt::print("nothing is asserted: write [[assert]]\n");
  } else {
    fmt::print("{} of {} assertions {}{}\n", proofs->size() - broken, proofs->size(),
               proofs->size() - broken == 1 ? "holds" : "hold",
               online ? "" : " (says the file; what runs was not asked)");
  }
  return {};
}

}  // namespace

void add_prove(CLI::App& app, Context& context) {
  auto options = std::make_shared<ProveOptions>();
  auto* command =
      app.add_subcommand("prove", "Decide the assertions of a configuration for all packets, exactly");
  command->add_option("-c,--config", options->config, "Prove this configuration, without asking the daemon")
      ->type_name("FILE");
  auto* against =
      command
          ->add_option("--against", options->against,
                       "Decide nothing, but say which packets go elsewhere than by this configuration")
          ->type_name("FILE");
  command->add_flag("--exit-code", options->exit_code, "Exit status 1 when any goes elsewhere")
      ->needs(against);
  command->footer(
      "Says of each [[assert]], and of those that are built in, whether it holds: not for a sample, but for "
      "every source and\n"
      "destination of which it speaks. A false one comes with a packet for which it is false, the route that "
      "decides about\n"
      "that packet and where it was written, and the exact number of destination addresses. Without --config "
      "it is about\n"
      "what runs: with overrides, with learned routes, and with what the kernel knows of the ports' subnets. "
      "It is about\n"
      "where packets are sent; whether a member of that next hop lives, `sekisho show next-hops` says.\n\n"
      "--against compares what runs, or the file of --config, with another configuration: of each zone the "
      "destinations that\n"
      "go elsewhere, range by range, from where to where, and the sources that belong to another zone. What "
      "runs has\n"
      "connected prefixes and hosts, which no file has.\n\n"
      "Exit status 0 when all hold, 1 when one is false; with --against 0 unless --exit-code.\n\n"
      "Examples:\n"
      "  sekisho prove\n"
      "  sekisho prove --config new.toml\n"
      "  sekisho prove --config new.toml --against /etc/sekisho/sekisho.toml\n"
      "  sekisho prove --json | jq '.assertions[] | select(.holds | not) | .counterexample'\n");
  command->callback([&context, options] {
    context.run = [&context, options] {
      return options->against.empty()
                 ? run_prove(context, *options)
                 : prove_against(context, options->config, options->against, options->exit_code);
    };
  });
}

}  // namespace sekisho::cli
