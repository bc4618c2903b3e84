// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/duration.hpp"
#include "common/base/text.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/table.hpp"

namespace sekisho::cli {
namespace {

using config::Key;
using config::KeyTable;
using config::KeyType;

// As people write it: "50ms", "9000".
std::string bound(const Key& key, std::int64_t value) {
  return key.type == KeyType::time ? base::to_string(std::chrono::milliseconds{value})
                                   : std::to_string(value);
}

std::string range_text(const Key& key) {
  const bool is_list = key.type == KeyType::string_or_strings || key.type == KeyType::strings_and_tables;
  std::string words;
  for (const auto word : key.words)
    words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", word);
  return key.range ? fmt::format("{} to {}{}", bound(key, key.range->least), bound(key, key.range->most),
                                 is_list ? " entries" : "")
                   : words;
}

Json key_json(const Key& key) {
  return {{"key", key.name},
          {"type", to_string(key.type)},
          {"required", key.required},
          {"default", key.fallback.empty() ? Json{} : Json(key.fallback)},
          {"range", key.range ? Json(range_text(key)) : Json{}},
          {"words", key.words},
          {"example", key.example},
          {"meaning", key.meaning}};
}

Json keys_json(const std::vector<const KeyTable*>& tables) {
  auto result = Json::array();
  for (const auto* table : tables) {
    auto keys = Json::array();
    std::ranges::transform(table->keys, std::back_inserter(keys), key_json);
    result.push_back({{"table", table->name}, {"what", table->what}, {"keys", std::move(keys)}});
  }
  return result;
}

void print_keys(const std::vector<const KeyTable*>& tables) {
  for (const auto* each : tables) {
    fmt::print("{}{}\n", each == tables.front() ? "" : "\n", toned(each->name, Tone::heading));
    Table table{{{"KEY"}, {"TYPE"}, {"DEFAULT"}, {"MAY BE"}}};
    for (const auto& key : each->keys)
      table.add({std::string{key.name}, std::string{to_string(key.type)},
                 key.required ? "required" : std::string{key.fallback}, range_text(key)});
    fmt::print("{}", table.render());
  }
}

// "next_hop.probe" of "[next_hop.NAME.probe]"
std::string bare(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('['), name.size()));
  std::string result{name.substr(0, name.find(']'))};
  constexpr std::string_view placeholder = ".NAME";
  if (const auto at = result.find(placeholder); at != std::string::npos)
    result.erase(at, placeholder.size());
  return result;
}

// The one of this name, "port" or "bgp.peer", and those below it.
auto tables_of(std::string_view name) -> std::vector<const KeyTable*> {
  std::vector<const KeyTable*> result;
  const auto wanted = bare(name);
  for (const auto* table : config::key_tables()) {
    const auto other = bare(table->name);
    if (wanted.empty() || other == wanted || other.starts_with(wanted + "."))
      result.push_back(table);
  }
  return result;
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("keys", "List the keys of sekisho.toml: type, default, range, example");
  const auto word = std::make_shared<std::string>();
  command->add_option("table", *word, "Only those of this table, and of those below it")->type_name("TABLE");
  command->footer(
      "What each key means, and an example of it, is in the JSON and in sekisho.toml(5). It is the table by "
      "which the\n"
      "configuration is read: what is not in it is refused.\n\n"
      "Examples:\n"
      "  sekisho keys\n"
      "  sekisho keys next_hop\n"
      "  sekisho keys --json | jq -r '.[].keys[] | select(.key == \"hold\").meaning'\n");
  command->callback([&context, word] {
    context.run = [&context, word]() -> Outcome {
      const auto tables = tables_of(*word);
      if (tables.empty()) {
        std::vector<std::string> names;
        for (const auto* table : config::key_tables())
          names.push_back(bare(table->name));
        const std::vector<std::string_view> known{names.begin(), names.end()};
        return tl::unexpected(
            fmt::format("there is no table {}{}", base::in_quotes(*word), base::suggestion(*word, known)));
      }
      context.json ? print_json(keys_json(tables)) : print_keys(tables);
      return {};
    };
  });
}

}  // namespace sekisho::cli
