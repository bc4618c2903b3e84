// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/bgp_routes.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/configuration.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/load_findings.hpp"
#include "control/cli/output.hpp"
#include "control/cli/plan.hpp"
#include "control/cli/running_table.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "control/policy/policy.hpp"
#include "control/route/difference.hpp"
#include "control/serve/plan.hpp"

namespace sekisho::cli {
namespace {

struct DiffOptions {
  std::string before;
  std::string after;
  std::string zone;
  std::string service_tags;
  bool exit_code = false;
  FileOptions reading;
};

// What an argument means.
struct Place {
  enum class Kind : std::uint8_t { file, configuration, running };
  Kind kind = Kind::file;
  std::string path;
  std::string zone;
};

Place place_of(const std::string& argument, const std::string& zone) {
  constexpr std::string_view running = "running";
  constexpr std::string_view configuration = ".toml";
  if (argument == running || argument.starts_with("running:")) {
    return {Place::Kind::running, {}, argument == running ? zone : argument.substr(running.size() + 1)};
  }
  if (argument.ends_with(configuration)) {
    return {Place::Kind::configuration, argument, zone};
  }
  if (const auto end = argument.rfind(".toml:"); end != std::string::npos) {
    const auto path = end + configuration.size();
    return {Place::Kind::configuration, argument.substr(0, path), argument.substr(path + 1)};
  }
  return {Place::Kind::file, argument, {}};
}

using Loading = tl::expected<LoadedTable, std::string>;

Loading load_file(const std::string& path, const DiffOptions& options) {
  auto reading = options.reading.reading();
  const auto place = file_of(path, reading);
  if (!place) {
    return tl::unexpected{place.error().to_string()};
  }
  auto file = formats::read_routes(*place, reading);
  if (!file) {
    return tl::unexpected{file.error().to_string()};
  }
  if (!file->tag_routes.empty()) {
    if (options.service_tags.empty()) {
      return tl::unexpected{fmt::format("{}: {}: goes to the service tag \"{}\": give --service-tags", path,
                                        file->tag_routes.front().path, file->tag_routes.front().tag)};
    }
    const auto tags = formats::read_service_tags(options.service_tags);
    if (!tags) {
      return tl::unexpected{tags.error().to_string()};
    }
    if (const auto resolved = formats::resolve_tags(*file, *tags); !resolved) {
      return tl::unexpected{resolved.error().to_string()};
    }
  }
  tell_findings(findings_of(*file));
  TableBuilder builder;
  BgpRoutes learned;  // Azure shows each next hop of a BGP route as a route
  const auto shows_each = formats::are_effective_routes(file->format);
  std::vector<std::string> next_hops;
  for (const auto& next_hop : file->next_hops) {
    next_hops.push_back(formats::to_string(next_hop));
  }
  for (const auto& route : file->routes) {
    if (shows_each && route.origin == route::Origin::bgp) {
      learned.add(route.prefix, file->next_hops[route.next_hop].addresses);
    } else {
      builder.add(route.prefix, route.origin, next_hops[route.next_hop]);
    }
  }
  for (const auto& [prefix, addresses] : std::move(learned).merge()) {
    std::string next_hop{route::to_string(route::NextHopType::virtual_network_gateway)};
    for (const auto& address : addresses) {
      next_hop += (&address == addresses.data() ? " " : ",") + base::address_to_string(address);
    }
    builder.add(prefix, route::Origin::bgp, next_hop);
  }
  return std::move(builder).finish();
}

Loading load_table(Context& context, const DiffOptions& options, const std::string& argument) {
  const auto place = place_of(argument, options.zone);
  switch (place.kind) {
    case Place::Kind::running:
      return load_running_table(context, place.zone, Hosts::without);
    case Place::Kind::configuration:
      return load_configured_table(place.path, place.zone);
    case Place::Kind::file:
      break;
  }
  return load_file(place.path, options);
}

void print_change(const route::Change& change) {
  const auto prefix = base::to_string(change.prefix);
  if (change.before == nullptr) {
    fmt::print("{}\n", toned(fmt::format("+ {} {}", prefix, *change.after), Tone::good));
  } else if (change.after == nullptr) {
    fmt::print("{}\n", toned(fmt::format("- {} {}", prefix, *change.before), Tone::bad));
  } else {
    fmt::print("~ {} {} -> {}\n", prefix, *change.before, *change.after);
  }
}

Json change_json(const route::Change& change) {
  const auto text = [](const std::string* next_hop) {
    return next_hop == nullptr ? Json(nullptr) : Json(*next_hop);
  };
  return {{"change", change.before == nullptr  ? "added"
                     : change.after == nullptr ? "removed"
                                               : "changed"},
          {"prefix", base::to_string(change.prefix)},
          {"before", text(change.before)},
          {"after", text(change.after)}};
}

void print_summary(const route::Difference& counts) {
  constexpr double all = 4294967296.0;
  fmt::print("{} added, {} removed, {} changed; {} of 2^32 addresses ({:.4g} %) change their next hop\n",
             counts.added, counts.removed, counts.changed, counts.addresses,
             100.0 * static_cast<double>(counts.addresses) / all);
}

Outcome diff(Context& context, const DiffOptions& options) {
  const auto before = load_table(context, options, options.before);
  if (!before) {
    return tl::unexpected{before.error()};
  }
  const auto after = load_table(context, options, options.after);
  if (!after) {
    return tl::unexpected{after.error()};
  }
  route::Difference counts;
  if (context.json) {
    fmt::print("{{\"changes\": ");
    JsonArray changes;
    counts = route::difference(before->side(), after->side(),
                               [&](const route::Change& change) { changes.add(change_json(change)); });
    changes.close();
    fmt::print(", \"added\": {}, \"removed\": {}, \"changed\": {}, \"addresses\": {}}}\n", counts.added,
               counts.removed, counts.changed, counts.addresses);
  } else {
    counts = route::difference(before->side(), after->side(), print_change);
    print_summary(counts);
  }
  const auto differ = counts.added + counts.removed + counts.changed != 0;
  if (options.exit_code && differ) {
    context.status = 1;
  }
  return {};
}

// Everything: both are what may run, and no zone is chosen.
bool is_whole(const Place& place) {
  return place.kind != Place::Kind::file && place.zone.empty();
}

Outcome print_running(Context& context, const std::string& file, PlanPrinter& printer) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const Json request{{"command", "reload"},
                     {"force", false},
                     {"config", std::filesystem::absolute(file).lexically_normal().native()},
                     {"dry_run", true}};
  return (*client)->ask_pages(request, [&](const Json& page) { printer.print(page); });
}

Outcome print_configurations(const std::string& before, const std::string& after, PlanPrinter& printer) {
  const auto old = read_configuration(before);
  if (!old) {
    return tl::unexpected{old.error()};
  }
  const auto young = read_configuration(after);
  if (!young) {
    return tl::unexpected{young.error()};
  }
  serve::PlanPages pages{
      serve::plan_of(old->policy, young->policy, young->mirror.value_or(netlink::Mirror{}))};
  printer.print(serve::plan_json(pages.plan()));
  while (pages.more()) {
    printer.print(pages.next());
  }
  return {};
}

Outcome diff_everything(Context& context, const DiffOptions& options) {
  const auto before = place_of(options.before, {});
  const auto after = place_of(options.after, {});
  PlanPrinter printer{context.json, fmt::format("from {} to {}", options.before, options.after),
                      "they mean the same"};
  if (auto printed = before.kind == Place::Kind::running
                         ? print_running(context, after.path, printer)
                         : print_configurations(before.path, after.path, printer);
      !printed) {
    return printed;
  }
  printer.close();
  // A reload would be refused: as `reload --dry-run` has it.
  if (printer.is_refused() || (options.exit_code && changes_something(printer.head()))) {
    context.status = 1;
  }
  return {};
}

}  // namespace

void add_diff(CLI::App& app, Context& context) {
  auto options = std::make_shared<DiffOptions>();
  auto* command = app.add_subcommand(
      "diff",
      "What separates two configurations, or two route tables and how many addresses they send elsewhere");
  command->add_option("before", options->before, "The one")->type_name("TABLE")->required();
  command->add_option("after", options->after, "The other")->type_name("TABLE")->required();
  command->add_option("--zone", options->zone, "Of a running appliance or a configuration that names none")
      ->type_name("ZONE");
  command->add_option("--service-tags", options->service_tags, "What service tags in route tables stand for")
      ->type_name("FILE");
  add_file_options(*command, options->reading);
  add_left_out_option(*command, options->reading);
  add_table_option(*command, options->reading);
  command->add_flag("--exit-code", options->exit_code, "Exit status 1 when they differ");
  command->footer(
      "A table is a file of routes in any format (text, Azure's JSON, MRT), a zone of the appliance that "
      "runs\n"
      "(\"running:ZONE\"), or a zone of a configuration (\"FILE.toml:ZONE\"). Compared is what is in force: "
      "prefixes and\n"
      "next hops by name. + is added, - removed, ~ has another next hop. An address that another prefix "
      "sends to\n"
      "the same next hop does not count as changed. Exit status 0 whether they differ or not, unless "
      "--exit-code.\n"
      "Two configurations, or what runs and one (\"running\"), without a zone: all that differs, as `sekisho "
      "reload\n"
      "--dry-run` has it, exit status 1 where it would be refused. Against what runs it is sekisho-control "
      "that reads\n"
      "the file, which has to be one that it may read, and whoever asks has to be one who may change what "
      "runs.\n"
      "Of a configuration the subnets of this machine's interfaces are known; hosts on "
      "them, which\n"
      "come and go, are compared with nothing.\n\n"
      "Examples:\n"
      "  sekisho diff old.txt new.txt\n"
      "  sekisho diff /etc/sekisho/sekisho.toml new.toml\n"
      "  sekisho diff running /etc/sekisho/new.toml\n"
      "  sekisho diff --zone onprem running new.toml\n"
      "  sekisho diff --exit-code --json monday.json tuesday.json | jq .addresses\n");
  command->callback([&context, options] {
    const auto before = place_of(options->before, options->zone);
    const auto after = place_of(options->after, options->zone);
    if (is_whole(before) && is_whole(after)) {
      if (after.kind == Place::Kind::running) {
        throw CLI::ValidationError(options->after, "what runs is compared with what it may become: " +
                                                       options->after + " comes first");
      }
      context.run = [&context, options] { return diff_everything(context, *options); };
      return;
    }
    for (const auto& argument : {options->before, options->after}) {
      const auto place = place_of(argument, options->zone);
      if (place.kind != Place::Kind::file && place.zone.empty()) {
        throw CLI::ValidationError(argument, "a zone is needed: " + argument + ":ZONE, or --zone");
      }
    }
    context.run = [&context, options] { return diff(context, *options); };
  });
}

}  // namespace sekisho::cli
