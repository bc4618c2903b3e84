// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/command.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/load_findings.hpp"
#include "control/cli/load_progress.hpp"
#include "control/cli/output.hpp"
#include "control/formats/format.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"
#include "control/formats/write.hpp"

namespace sekisho::cli {
namespace {

// Ours: a route is told whole, as no format of others does.
constexpr const char* json_form = "json";

struct ConvertOptions {
  std::vector<std::string> files;
  std::string to;
  std::string peer;
  std::string next_hop;
  std::string tags;
  FileOptions reading;
};

// A next hop as a route file has it.
CLI::Validator is_next_hop() {
  return {[](std::string& text) {
            const auto is_word_byte = [](char c) { return c > ' ' && c < '\x7f' && c != '#'; };
            if (text.empty() || !std::ranges::all_of(text, is_word_byte)) {
              return std::string{"a next hop is one word"};
            }
            const auto parsed = formats::parse_next_hop(text);
            return parsed ? std::string{} : parsed.error();
          },
          ""};
}

auto read(const ConvertOptions& options) -> tl::expected<std::vector<formats::RouteFile>, std::string> {
  std::optional<formats::ServiceTags> tags;
  if (!options.tags.empty()) {
    auto read_tags = formats::read_service_tags(options.tags);
    if (!read_tags) {
      return tl::unexpected{read_tags.error().to_string()};
    }
    tags = std::move(*read_tags);
  }
  // Both words were checked as they were parsed.
  const auto next_hop =
      options.next_hop.empty() ? formats::NextHop{} : *formats::parse_next_hop(options.next_hop);
  auto reading = options.reading.reading();
  if (!options.peer.empty()) {
    reading.peer = *base::parse_address(options.peer);
  }
  std::vector<formats::RouteFile> result;
  for (const auto& file : options.files) {
    LoadProgress progress{file};
    auto of_this = reading;
    of_this.progress = progress.callback();
    const auto path = file_of(file, of_this);
    if (!path) {
      return tl::unexpected{path.error().to_string()};
    }
    auto routes = formats::read_routes(*path, of_this);
    if (!routes) {
      return tl::unexpected{routes.error().to_string()};
    }
    if (tags) {
      if (const auto resolved = formats::resolve_tags(*routes, *tags); !resolved) {
        return tl::unexpected{resolved.error().to_string()};
      }
    }
    for (auto& each : routes->next_hops) {
      if (each.is_missing()) {
        each = next_hop;
      }
    }
    result.push_back(std::move(*routes));
  }
  return result;
}

void tell_what_is_left_out(const std::vector<formats::RouteFile>& files, std::size_t azures_own) {
  for (const auto& file : files) {
    tell_findings(findings_of(file));
  }
  if (azures_own != 0) {
    fmt::print(stderr, "{} route{} left out: only Azure itself makes such next hops\n", azures_own,
               azures_own == 1 ? " is" : "s are");
  }
}

void print(std::string_view piece) {
  std::fwrite(piece.data(), 1, piece.size(), stdout);
}

Outcome convert(const Context& context, const ConvertOptions& options) {
  const auto files = read(options);
  if (!files) {
    return tl::unexpected{files.error()};
  }
  std::size_t azures_own = 0;
  if (options.to == json_form || (options.to.empty() && context.json)) {
    JsonArray array;
    formats::write_json(*files, [&](const Json& route) { array.add(route); });
    array.close();
  } else {
    const auto* form = formats::find_format(options.to.empty() ? "text" : options.to);
    const auto left_out = form->write(*files, print);
    if (!left_out) {
      return tl::unexpected{left_out.error()};
    }
    azures_own = *left_out;
  }
  tell_what_is_left_out(*files, azures_own);
  return {};
}

// What --to takes.
auto forms() -> std::vector<std::string> {
  std::vector<std::string> result{json_form};
  for (const auto& row : formats::formats()) {
    if (row.write != nullptr) {
      result.emplace_back(row.name);
    }
  }
  return result;
}

void add_convert(CLI::App& group, Context& context) {
  auto options = std::make_shared<ConvertOptions>();
  auto* command = group.add_subcommand("convert", "Write route files in another form, on standard output");
  command->add_option("--to", options->to, "text (or, with --json, json), json or azure")
      ->type_name("FORM:{text,json,azure}")
      ->check(CLI::IsMember(forms()).description(""));
  command->add_option("--peer", options->peer, "Of MRT files with several peers: whose routes")
      ->type_name("ADDRESS")
      ->check(is_address());
  command->add_option("--next-hop", options->next_hop, "What a route means that names no next hop")
      ->type_name("NAME")
      ->check(is_next_hop());
  command
      ->add_option("--tags", options->tags,
                   "Azure's service tags, to put prefixes in the place of their names")
      ->type_name("FILE");
  add_file_options(*command, options->reading);
  add_left_out_option(*command, options->reading);
  add_table_option(*command, options->reading);
  command->add_option("file", options->files, "Route files, one after another")
      ->type_name("FILE")
      ->required();
  command->footer(
      "Reads every format that `sekisho formats` lists, compressed or not, known by its content. A\n"
      "virtual appliance is written as its address, several with commas between, any\n"
      "other next hop by its name. What is left out (IPv6, ...) is said on standard error. Of several paths "
      "that an "
      "MRT file's\n"
      "peer has to a prefix the best counts, and equally good ones make one route with several next hops.\n\n"
      "Examples:\n"
      "  sekisho routes convert --peer 193.203.0.1 bview.20020722.2337.gz >table.txt\n"
      "  sekisho routes convert --to azure --next-hop 10.0.2.10 overrides.txt >udr.json\n"
      "  sekisho routes convert --tags ServiceTags_Public.json udr.json >overrides.txt\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return convert(context, *options); }; });
}

}  // namespace

void add_route_files(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("routes", "Work on route files, without a configuration or a daemon");
  group->require_subcommand(1);
  add_convert(*group, context);
}

}  // namespace sekisho::cli
