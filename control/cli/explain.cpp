// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "common/base/prefix.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {
namespace {

struct ExplainOptions {
  std::string source;
  std::string destination;
  std::string port;
  std::string protocol = "icmp";
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::string config;
};

void print_step(const char* name, const std::string& text) {
  fmt::print("{}  {}\n", toned(fmt::format("{:<9}", name), Tone::heading), text);
}

void indented(std::string text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    fmt::print("           {}\n", text.substr(begin, end - begin));
    begin = end + 1;
  }
}

void print_zone(const Json& result) {
  if (result.at("zone").is_null()) {
    print_step("zone", "none: no zone has this source");
    return;
  }
  const auto ports = list_text(result.at("zone_ports"));
  const auto allowed = result.at("port_allowed") == true;
  const auto port = result.at("port").is_null()
                        ? allowed ? fmt::format("comes in by {}", ports)
                                  : std::string{"it has no port, so that nothing comes in"}
                        : fmt::format("port {} is {} (the zone has {})", value_text(result, "port"),
                                      allowed ? "allowed" : "NOT allowed", ports);
  print_step("zone", fmt::format("{}, by the source prefix {}; {}", value_text(result, "zone"),
                                 value_text(result, "source_prefix"), port));
}

void print_routes(const Json& result) {
  const auto& candidates = result.at("candidates");
  if (result.at("zone").is_null()) {
    return;
  }
  if (candidates.empty()) {
    print_step("table", fmt::format("{}: no route covers {}", value_text(result, "zone"),
                                    value_text(result, "destination")));
    return;
  }
  print_step("table",
             fmt::format("{}: {} route{} {} {}", value_text(result, "zone"), candidates.size(),
                         candidates.size() == 1 ? "" : "s", candidates.size() == 1 ? "covers" : "cover",
                         value_text(result, "destination")));
  Table table{{{" "}, {"PREFIX"}, {"NEXT-HOP"}, {"ORIGIN"}, {"WHY"}, {"WRITTEN-IN"}}};
  for (const auto& route : candidates) {
    const auto wins = route.at("wins") == true;
    table.add({wins ? "*" : " ",
               {value_text(route, "prefix"), wins ? Tone::good : Tone::plain},
               next_hop_text(route),
               value_text(route, "origin"),
               value_text(route, "why"),
               place_text(route)});
  }
  indented(table.render());
}

void print_next_hop(const Json& result) {
  if (result.at("next_hop").is_null()) {
    return;
  }
  print_step("next hop", value_text(result, "next_hop"));
  if (const auto& exit = result.at("exit"); !exit.is_null()) {
    Table table{{{"PORT"}, {"INTERFACE"}, {"ADDRESS"}, {"GATEWAY"}, {"READY"}, {"WHY"}}};
    const auto ready = exit.at("ready") == true;
    table.add({value_text(exit, "port"),
               value_text(exit, "interface"),
               value_text(exit, "address"),
               value_text(exit, "gateway"),
               {value_text(exit, "ready"), ready ? Tone::plain : Tone::bad},
               value_text(exit, "why")});
    indented(table.render());
  }
  if (result.at("members").empty()) {
    return;
  }
  Table table{{{"MEMBER"}, {"PORT"}, {"MAC"}, {"ALIVE"}, {"WHY"}}};
  for (const auto& member : result.at("members")) {
    const auto alive = member.at("alive").is_null() ? std::string{"unknown"} : value_text(member, "alive");
    table.add({value_text(member, "address"),
               value_text(member, "port"),
               value_text(member, "mac"),
               {alive, alive == "no" ? Tone::bad : Tone::plain},
               value_text(member, "why")});
  }
  indented(table.render());
}

// Of several members, which one the flow takes.
void print_flow(const Json& result) {
  if (!result.contains("member") || result.at("member").is_null() || result.at("members").size() < 2) {
    return;
  }
  const auto& flow = result.at("flow");
  const auto port = [&](const char* name) {
    return flow.at(name).is_null() ? std::string{} : fmt::format(":{}", flow.at(name).get<unsigned>());
  };
  print_step("flow",
             fmt::format("{} {}{} to {}{} hashes to {}", value_text(flow, "protocol"),
                         value_text(result, "source"), port("source_port"), value_text(result, "destination"),
                         port("destination_port"), value_text(result, "member")));
}

void print_dataplane(const Json& result, bool online) {
  const auto& dataplane = result.at("dataplane");
  if (dataplane.is_null()) {
    print_step("dataplane", online ? toned("is not connected and could not be asked", Tone::bad)
                                   : "was not asked (--config)");
    return;
  }
  if (dataplane.contains("error")) {
    print_step("dataplane", toned("could not be asked: " + value_text(dataplane, "error"), Tone::bad));
    return;
  }
  const auto& adjacency = dataplane.at("adjacency");
  const auto to = adjacency.is_null()
                      ? std::string{}
                      : fmt::format("; this flow hashes to {} on port {}", value_text(adjacency, "address"),
                                    value_text(adjacency, "port"));
  if (dataplane.at("agrees") == true) {
    print_step("dataplane", "decides the same" + to);
    return;
  }
  print_step("dataplane", toned("DECIDES OTHERWISE than the configuration says", Tone::bad) + to);
  Table table{{{"WHAT"}, {"CONFIGURATION"}, {"DATAPLANE"}}};
  for (const auto& difference : dataplane.at("differences")) {
    table.add({value_text(difference, "what"), value_text(difference, "policy"),
               value_text(difference, "dataplane")});
  }
  indented(table.render());
  indented("The dataplane's decision is what packets meet. A transaction may be on its way: ask again.\n");
}

void print_explanation(const Json& result, bool online) {
  print_zone(result);
  print_routes(result);
  print_next_hop(result);
  print_flow(result);
  print_dataplane(result, online);
  const auto verdict = value_text(result, "verdict");
  const auto sentence = value_text(result, "sentence");
  const auto reason =
      result.at("drop_reason").is_null() ? std::string{} : " " + value_text(result, "drop_reason");
  const auto is_bad = verdict == "drop" || verdict == "unknown";
  print_step("verdict", toned(verdict + reason, is_bad ? Tone::bad : Tone::good) +
                            (sentence.empty() ? std::string{} : ": " + sentence) +
                            (online ? "" : " (says the file; whether it is so was not asked)"));
  if (result.contains("answer") && !result.at("answer").is_null()) {
    print_step("answer", "answered with ICMP " + value_text(result.at("answer"), "sentence"));
  }
}

tl::expected<Json, std::string> explain_offline(const ExplainOptions& options) {
  const auto policy =
      policy::read(options.config, netlink::addresses_by(netlink::snapshot().value_or(netlink::Mirror{})));
  if (!policy) {
    return tl::unexpected{policy.error().to_string()};
  }
  const auto& ports = (*policy)->config.ports;
  if (!options.port.empty() && std::ranges::find(ports, options.port, &config::Port::name) == ports.end()) {
    return tl::unexpected{fmt::format("{}: there is no port \"{}\"", options.config, options.port)};
  }
  // Both were checked as they were parsed.
  const serve::Flow flow{.source = *base::parse_address(options.source),
                         .destination = *base::parse_address(options.destination),
                         .port = options.port,
                         .protocol = *serve::protocol_named(options.protocol),
                         .source_port = options.source_port,
                         .destination_port = options.destination_port};
  return serve::explain(**policy, flow, {});
}

tl::expected<Json, std::string> explain_online(const Context& context, const ExplainOptions& options) {
  Json request{{"command", "explain"},
               {"source", options.source},
               {"destination", options.destination},
               {"protocol", options.protocol}};
  if (serve::has_ports(*serve::protocol_named(options.protocol))) {
    request["source_port"] = options.source_port;
    request["destination_port"] = options.destination_port;
  }
  if (!options.port.empty()) {
    request["port"] = options.port;
  }
  return ask(context, request);
}

}  // namespace

void add_explain(CLI::App& app, Context& context) {
  auto options = std::make_shared<ExplainOptions>();
  auto* command = app.add_subcommand("explain", "Say why a packet goes where it goes, step by step");
  command->add_option("source", options->source, "Who sends it")
      ->type_name("ADDRESS")
      ->required()
      ->check(is_address());
  command->add_option("destination", options->destination, "Where to")
      ->type_name("ADDRESS")
      ->required()
      ->check(is_address());
  command
      ->add_option("--port", options->port,
                   "The port it comes in by; without: any that the source's zone allows")
      ->type_name("PORT");
  command
      ->add_option("--protocol", options->protocol,
                   "tcp, udp, icmp or a number: members of a next hop are chosen by flow")
      ->type_name("PROTOCOL")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return serve::protocol_named(text) ? std::string{}
                                           : "neither tcp, udp, icmp nor a number up to 255: " + text;
      });
  const auto is_port_of_flow = [options](const std::string& /*text*/) {
    const auto protocol = serve::protocol_named(options->protocol);
    return protocol && serve::has_ports(*protocol) ? std::string{}
                                                   : std::string{"requires --protocol tcp or udp"};
  };
  command->add_option("--source-port", options->source_port, "The flow's source port")
      ->type_name("NUMBER")
      ->check(CLI::Range(0, 65535))
      ->check(is_port_of_flow);
  command->add_option("--destination-port", options->destination_port, "The flow's destination port")
      ->type_name("NUMBER")
      ->check(CLI::Range(0, 65535))
      ->check(is_port_of_flow);
  command
      ->add_option("-c,--config", options->config, "Explain by this configuration, without asking the daemon")
      ->type_name("FILE");
  command->footer(
      "Shows the source's zone; every route of the zone's table that covers the destination, where it was "
      "written, and why\n"
      "the winner won; the next hop's members, whether they are alive and which one this flow takes; what "
      "the dataplane "
      "decides, and "
      "where that is\n"
      "another thing. The last line is what happens to the packet now. With --config it is what the file "
      "says, "
      "and nobody\n"
      "was asked.\n\n"
      "Exit status 0 when what happens is what the configuration says, also where it says drop; 1 when "
      "something keeps\n"
      "the packet from it: no dataplane, none that answers, one that decides otherwise, a port that does not "
      "run, a next\n"
      "hop without a living member.\n\n"
      "Examples:\n"
      "  sekisho explain 172.16.0.10 1.1.1.1 --port lan\n"
      "  sekisho explain 172.16.0.10 1.1.1.1 --protocol tcp --source-port 40000 --destination-port 443\n"
      "  sekisho explain --config new.toml 172.16.0.10 20.118.99.224\n");
  command->callback([&context, options] {
    context.run = [&context, options]() -> Outcome {
      const auto is_online = options->config.empty();
      const auto result = is_online ? explain_online(context, *options) : explain_offline(*options);
      if (!result) {
        return tl::unexpected{result.error()};
      }
      context.json ? print_json(*result) : print_explanation(*result, is_online);
      context.status = is_online && result->at("fault") == true ? 1 : 0;
      return {};
    };
  });
}

}  // namespace sekisho::cli
