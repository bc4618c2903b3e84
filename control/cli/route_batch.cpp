// SPDX-License-Identifier: BSD-3-Clause
// `route batch`: many overrides in one request. A process, a connection and a transaction for each would be most of the work.
#include "control/cli/route_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/cli/applied.hpp"
#include "control/cli/client.hpp"
#include "control/cli/output.hpp"
#include "control/formats/text_lines.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::cli {
namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20;
constexpr std::array<std::string_view, 3> verbs{"add", "replace", "del"};

struct BatchOptions {
  std::string file;
  std::string zone;  // of lines that name none

  [[nodiscard]] std::string place() const { return file == "-" ? "standard input" : file; }
};

auto read_input(const BatchOptions& options) -> tl::expected<std::string, std::string> {
  if (options.file != "-") {
    return base::read_file(options.file, most_bytes).map_error([](const base::Error& error) {
      return error.to_string();
    });
  }
  std::string text(most_bytes + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (std::cin.bad()) {
    return tl::unexpected{std::string{"standard input: cannot be read"}};
  }
  if (text.size() > most_bytes) {
    return tl::unexpected{fmt::format("standard input: holds more than {} bytes", most_bytes)};
  }
  return text;
}

// Takes "--zone ZONE" and "--zone=ZONE" out of the words.
auto take_zone(std::vector<std::string_view>& words)
    -> tl::expected<std::optional<std::string>, std::string> {
  constexpr std::string_view option = "--zone";
  std::optional<std::string> zone;
  for (auto word = words.begin(); word != words.end();) {
    if (!word->starts_with("--")) {
      ++word;
      continue;
    }
    auto end = word + 1;
    std::string_view value;
    if (word->starts_with("--zone=")) {
      value = word->substr(option.size() + 1);
    } else if (*word == option && end != words.end()) {
      value = *end++;
    } else if (*word != option) {
      return tl::unexpected{fmt::format("there is no option {}", base::in_quotes(*word))};
    }
    if (value.empty()) {
      return tl::unexpected{std::string{"--zone requires a zone"}};
    }
    if (zone) {
      return tl::unexpected{std::string{"--zone is given twice"}};
    }
    zone = value;
    word = words.erase(word, end);
  }
  return zone;
}

// "replace --zone onprem 198.51.100.0/24 second-gateway", as `sekisho route` takes it.
auto read_change(std::vector<std::string_view> words, const std::string& otherwise)
    -> tl::expected<Json, std::string> {
  const auto verb = words.front();
  if (std::ranges::find(verbs, verb) == verbs.end()) {
    return tl::unexpected{fmt::format("{} is neither add, replace nor del", base::in_quotes(verb))};
  }
  auto zone = take_zone(words);
  if (!zone) {
    return tl::unexpected{std::move(zone.error())};
  }
  if (!*zone && otherwise.empty()) {
    return tl::unexpected{std::string{"names no zone: write --zone ZONE in the line, or for all of them"}};
  }
  const bool is_del = verb == "del";
  if (words.size() != (is_del ? 2 : 3)) {
    return tl::unexpected{std::string{is_del ? "must be: del [--zone ZONE] PREFIX"
                                             : "must be: add|replace [--zone ZONE] PREFIX NEXT-HOP"}};
  }
  const auto prefix = base::parse_prefix(words[1]);
  if (!prefix) {
    return tl::unexpected{fmt::format("{}: {}", base::in_quotes(words[1]), prefix.error())};
  }
  Json change{{"verb", verb}, {"zone", zone->value_or(otherwise)}, {"prefix", base::to_string(*prefix)}};
  if (!is_del) {
    change["next_hop"] = words[2];
  }
  return change;
}

auto read_changes(std::string_view text, const BatchOptions& options) -> tl::expected<Json, std::string> {
  auto changes = Json::array();
  for (unsigned line = 1; !text.empty(); ++line) {
    auto whole = formats::next_line(text);
    const auto words = formats::words_of_line(whole.substr(0, whole.find('#')));
    if (words.empty()) {
      continue;
    }
    auto change = read_change(words, options.zone);
    if (!change) {
      return tl::unexpected{base::Error{options.place(), line, std::move(change.error())}.to_string()};
    }
    if (changes.size() == serve::most_changes) {
      return tl::unexpected{base::Error{options.place(), line,
                                        fmt::format("a batch has {} changes at most", serve::most_changes)}
                                .to_string()};
    }
    (*change)["line"] = line;
    changes.push_back(std::move(*change));
  }
  if (changes.empty()) {
    return tl::unexpected{options.place() + ": no change stands there"};
  }
  return changes;
}

Outcome run(const Context& context, const BatchOptions& options) {
  const auto text = read_input(options);
  if (!text) {
    return tl::unexpected{text.error()};
  }
  auto changes = read_changes(*text, options);
  if (!changes) {
    return tl::unexpected{changes.error()};
  }
  const auto result =
      ask(context, {{"command", "route"}, {"file", options.place()}, {"changes", std::move(*changes)}});
  if (!result) {
    return tl::unexpected{result.error()};
  }
  context.json ? print_json(*result) : print_applied(*result);
  return {};
}

}  // namespace

void add_route_batch(CLI::App& group, Context& context) {
  auto options = std::make_shared<BatchOptions>();
  auto* command = group.add_subcommand("batch", "Change many User routes at once: all of them, or nothing");
  command->add_option("file", options->file, "A change a line; \"-\" is standard input")
      ->type_name("FILE")
      ->required();
  command->add_option("--zone", options->zone, "Whose table, where a line does not say")->type_name("ZONE");
  command->footer(
      "A line is what stands behind `sekisho route`: add, replace or del, --zone ZONE, a prefix, a next hop. "
      "Blank\n"
      "lines and what follows a # are skipped. Each line comes on top of those before it, and all of them "
      "are "
      "one\n"
      "transaction: packets find the table from before or the one from after, and the answer comes when the\n"
      "dataplane has it. A line that is refused is named, with its file and the reason, and then nothing "
      "changes.\n"
      "At most 100,000 changes. Thousands of changes a second are a batch every tenth of a second.\n\n"
      "Examples:\n"
      "  sekisho route batch changes.txt\n"
      "  sekisho route batch --zone onprem changes.txt\n"
      "  printf 'replace 198.51.100.0/24 second-gateway\\ndel 203.0.113.0/24\\n' | sekisho route batch "
      "--zone "
      "onprem -\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return run(context, *options); }; });
}

}  // namespace sekisho::cli
