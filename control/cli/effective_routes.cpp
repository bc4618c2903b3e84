// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/effective_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/azure_subnet.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/configuration.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/load_findings.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

// Four of them are documented; what a NIC shows besides differs a little from year to year.
constexpr const char* none_routes =
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.0/8,198.18.0.0/15,157.59.0.0/"
    "16,104.147.0.0/16,"
    "104.146.0.0/17,40.109.0.0/16,40.108.0.0/17,25.48.0.0/12,25.4.0.0/14,25.33.0.0/16,25.41.0.0/"
    "20,23.103.0.0/18,"
    "20.35.252.0/22";

struct EffectiveRouteOptions {
  std::string zone;
  std::string config;
  std::string vnet;
  std::string peering;
  std::string service_endpoint;
  std::string none = none_routes;
  std::vector<std::filesystem::path> gateway_routes;
  std::vector<std::filesystem::path> routes;
  std::string service_tags;
  std::string peer;
  bool winners = false;
  FileOptions reading;
};

std::string joined(const Json& words) {
  std::string result;
  for (const auto& word : words) {
    if (!result.empty()) {
      result.push_back(' ');
    }
    result += word.get_ref<const std::string&>();
  }
  return result;
}

std::string joined(std::span<const std::uint32_t> addresses) {
  std::string result;
  for (const auto address : addresses) {
    if (!result.empty()) {
      result.push_back(' ');
    }
    result += base::address_to_string(address);
  }
  return result;
}

std::string winner_text(std::string_view source, std::string_view prefix, std::string_view type,
                        std::string_view addresses) {
  return fmt::format("{} {} {}{}{}", source, prefix, type, addresses.empty() ? "" : " ", addresses);
}

std::string winner_text(const Json& winner) {
  return winner.is_null() ? ""
                          : winner_text(winner.at("source").get_ref<const std::string&>(),
                                        joined(winner.at("addressPrefix")),
                                        winner.at("nextHopType").get_ref<const std::string&>(),
                                        joined(winner.at("nextHopIpAddress")));
}

std::string winner_text(const std::optional<serve::AzureRoute>& winner) {
  return winner ? winner_text(winner->source, base::to_string(winner->prefix),
                              route::to_string(winner->words.type), joined(winner->words.addresses))
                : "";
}

// Azure's two forms of effective routes, as az prints them, without ever holding them.
class EffectivePrinter {
 public:
  EffectivePrinter(bool json, bool winners) : json_(json), winners_(winners) {}

  // A page of the daemon's.
  void add(const Json& page) {
    open();
    for (const auto& route : page) {
      json_ ? array_.add(route) : row(route);
    }
  }
  // All that is left.
  void add(serve::EffectivePages pages) {
    open();
    while (pages.more()) {
      pages.next([&](const serve::EffectiveRow& route) { json_ ? element(pages, route) : row(route); });
    }
  }
  void close() {
    open();
    if (json_) {
      array_.close();
      fmt::print("}}\n");
    }
  }

 private:
  void open() {
    if (std::exchange(opened_, true)) {
      return;
    }
    if (json_) {
      fmt::print("{{\"nextLink\": null, \"value\": ");
      return;
    }
    line("Source", "State", "Address Prefix", "Next Hop Type", "Next Hop IP", "Overridden By");
    const auto rule = [](std::size_t width) { return std::string(width, '-'); };
    line(rule(source_width), rule(state_width), rule(prefix_width), rule(type_width), rule(address_width),
         rule(winner_width));
  }

  void element(const serve::EffectivePages& pages, const serve::EffectiveRow& row) {
    text_.clear();
    pages.append(text_, row);
    array_.add_text(text_);
  }

  void row(const Json& route) {
    const auto word = [&](const char* name) { return route.at(name).get_ref<const std::string&>(); };
    line(word("source"), word("state"), joined(route.at("addressPrefix")), word("nextHopType"),
         joined(route.at("nextHopIpAddress")), winners_ ? winner_text(route.at("overriddenBy")) : "");
  }
  void row(const serve::EffectiveRow& row) {
    const auto& [prefix, source, words] = row.route;
    line(source, row.state, base::to_string(prefix), route::to_string(words.type), joined(words.addresses),
         winner_text(row.winner));
  }

  // The columns are as wide as the widest of Azure's words: a long table cannot be measured first.
  void line(std::string_view source, std::string_view state, std::string_view prefix, std::string_view type,
            std::string_view addresses, std::string_view winner) {
    text_.clear();
    cell(source, source_width);
    cell(state, state_width);
    cell(prefix, prefix_width);
    cell(type, type_width);
    cell(addresses, address_width);
    text_ += winners_ ? winner : "";
    text_.erase(text_.find_last_not_of(' ') + 1);
    text_.push_back('\n');
    std::fwrite(text_.data(), 1, text_.size(), stdout);
  }

  void cell(std::string_view word, std::size_t width) {
    text_.append(word).append(width - std::min(width, word.size()) + 2, ' ');
  }

  static constexpr std::size_t source_width = 21;  // VirtualNetworkGateway
  static constexpr std::size_t state_width = 7;
  static constexpr std::size_t prefix_width = 18;
  static constexpr std::size_t type_width = 29;  // VirtualNetworkServiceEndpoint
  static constexpr std::size_t address_width = 15;
  static constexpr std::size_t winner_width = 13;

  bool json_;
  bool winners_;
  bool opened_ = false;
  JsonArray array_;
  std::string text_;  // of the row that is being printed
};

Outcome print_all(serve::EffectivePages pages, EffectivePrinter& printer) {
  printer.add(std::move(pages));
  printer.close();
  return {};
}

Outcome of_running_zone(Context& context, const EffectiveRouteOptions& options, EffectivePrinter& printer) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const Json request{{"command", "effective-routes"}, {"zone", options.zone}, {"winners", options.winners}};
  auto outcome = (*client)->ask_pages(request, [&](const Json& page) {
    tell_problem(context, **client);
    printer.add(page);
  });
  if (outcome) {
    printer.close();
  }
  return outcome;
}

Outcome of_configured_zone(const EffectiveRouteOptions& options, EffectivePrinter& printer) {
  const auto read = read_configuration(options.config);
  if (!read) {
    return tl::unexpected{read.error()};
  }
  auto pages = serve::EffectivePages::open(read->policy, options.zone, {.winners = options.winners});
  if (!pages) {
    return tl::unexpected{fmt::format("{}: {}", options.config, pages.error())};
  }
  return print_all(std::move(*pages), printer);
}

Outcome of_subnet(const EffectiveRouteOptions& options, EffectivePrinter& printer) {
  // The lists were checked as they were parsed.
  SubnetInputs inputs{.vnet = prefixes_of(options.vnet),
                      .peerings = prefixes_of(options.peering),
                      .service_endpoints = words_of(options.service_endpoint),
                      .none = prefixes_of(options.none),
                      .gateway_routes = options.gateway_routes,
                      .routes = options.routes,
                      .service_tags = options.service_tags,
                      .peer = std::nullopt,
                      .reading = options.reading.reading()};
  if (!options.peer.empty()) {
    inputs.peer = *base::parse_address(options.peer);
  }
  const auto subnet = read_subnet(inputs);
  if (!subnet) {
    return tl::unexpected{subnet.error()};
  }
  tell_findings((*subnet)->findings);
  auto words = [subnet = *subnet](const route::Route& route) -> serve::AzureWords {
    return {.type = route.type,
            .addresses = subnet->next_hops[route.next_hop].addresses,
            .name = subnet->names[route.source]};
  };
  return print_all({{*subnet, &(*subnet)->table},
                    std::move(words),
                    {.winners = options.winners, .takes_bgp = (*subnet)->takes_bgp}},
                   printer);
}

}  // namespace

void add_effective_routes(CLI::App& app, Context& context) {
  auto options = std::make_shared<EffectiveRouteOptions>();
  auto* command = app.add_subcommand(
      "effective-routes",
      "Every route of a table as Azure shows them: Active, or Invalid and by what overridden");
  auto* whose = command->add_option_group("Whose", "Of a zone, or of a subnet in Azure");
  auto* zone = whose->add_option("--zone", options->zone, "A zone of the running appliance, or of --config")
                   ->type_name("ZONE");
  auto* vnet = whose->add_option("--vnet", options->vnet, "A subnet in a VNet of these prefixes")
                   ->type_name("PREFIX,..")
                   ->check(is_prefix_list())
                   ->check([](const std::string& list) {
                     return list.empty() ? std::string{"a VNet has a prefix"} : std::string{};
                   });
  whose->require_option(1);
  command->add_option("-c,--config", options->config, "Read this configuration, without asking the daemon")
      ->type_name("FILE")
      ->needs(zone);
  command->add_option("--peering", options->peering, "Prefixes of VNets that the VNet is peered with")
      ->type_name("PREFIX,..")
      ->check(is_prefix_list())
      ->needs(vnet);
  command
      ->add_option("--service-endpoint", options->service_endpoint,
                   "What the subnet's service endpoints cover: prefixes, or tags of --service-tags")
      ->type_name("PREFIX|TAG,..")
      ->needs(vnet);
  command
      ->add_option("--gateway-routes", options->gateway_routes,
                   "Route files with what gateways and Route Server tell by BGP; may be repeated")
      ->type_name("FILE")
      ->needs(vnet);
  command->add_option("--peer", options->peer, "Of gateway routes in an MRT file with several peers: whose")
      ->type_name("ADDRESS")
      ->check(is_address())
      ->needs(vnet);
  command->add_option("--routes", options->routes, "The subnet's route tables (UDR); may be repeated")
      ->type_name("FILE")
      ->needs(vnet);
  command->add_option("--service-tags", options->service_tags, "Azure's file of service tags")
      ->type_name("FILE")
      ->needs(vnet);
  command
      ->add_option(
          "--none", options->none,
          "What Azure drops by System routes while the default leads to the Internet or None, unless a VNet "
          "prefix is the same or around it; '' for nothing")
      ->type_name("PREFIX,..")
      ->capture_default_str()
      ->check(is_prefix_list())
      ->needs(vnet);
  for (auto* option : add_file_options(*command, options->reading)) {
    option->needs(vnet);
  }
  add_left_out_option(*command, options->reading)->needs(vnet);
  auto* table =
      command
          ->add_option("--table", options->reading.table,
                       "Of files with several route tables: which, as FILE#TABLE says it of one; alone: "
                       "Azure's table form, the default (--json is az's JSON)")
          ->type_name("[TABLE]")
          ->expected(0, 1);
  command->add_flag("--winners", options->winners,
                    "Also name what an Invalid route lost to: a column, in JSON the member overriddenBy");
  command->footer(
      "Invalid means overridden: by a User route of the same prefix, by BGP, or, a BGP route, by a System "
      "route\n"
      "of the VNet, its peerings or service endpoints, however short; of a zone also by what the dataplane "
      "drops\n"
      "whatever the routes (127.0.0.0/8, 224.0.0.0/4, ...). It says nothing of health.\n"
      "A file is a text route file, Azure's JSON (route tables, effective routes), or MRT. Of effective "
      "routes\n"
      "--routes takes the User ones and --gateway-routes those of VirtualNetworkGateway. In text, the next "
      "hops of\n"
      "gateway routes are addresses; several lines or commas make several.\n\n"
      "Examples:\n"
      "  sekisho effective-routes --zone onprem --winners\n"
      "  sekisho effective-routes --config new.toml --zone onprem --json | jq '.value | length'\n"
      "  sekisho effective-routes --vnet 10.1.0.0/16 --peering 10.8.0.0/16 --gateway-routes halves.txt \\\n"
      "    --routes udr.json --service-tags ServiceTags_Public.json\n");
  command->callback([&context, options, table] {
    const auto is_named = !options->reading.table.empty();
    if (table->count() != 0 && !is_named && context.json) {
      throw CLI::ExcludesError("--table", "--json");
    }
    if (is_named && options->routes.empty()) {
      throw CLI::RequiresError("--table TABLE", "--routes");
    }
    context.run = [&context, options]() -> Outcome {
      EffectivePrinter printer{context.json, options->winners};
      if (options->zone.empty()) {
        return of_subnet(*options, printer);
      }
      return options->config.empty() ? of_running_zone(context, *options, printer)
                                     : of_configured_zone(*options, printer);
    };
  });
}

}  // namespace sekisho::cli
