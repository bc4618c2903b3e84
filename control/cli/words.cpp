// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

namespace sekisho::cli {
namespace {

bool is_option(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

// The option of a command or of one around it, if it wants a value that is a word of its own.
const CLI::Option* option_awaiting(const CLI::App& app, const std::string& word) {
  for (const auto* at = &app; at != nullptr; at = at->get_parent()) {
    if (const auto* option = at->get_option_no_throw(word)) {
      return option->get_items_expected_min() > 0 ? option : nullptr;
    }
  }
  return nullptr;
}

// One that is not listed, too; null: there is none.
CLI::App* command_named(const CLI::App& app, const std::string& name) {
  const auto commands = const_cast<CLI::App&>(app).get_subcommands(
      [&](CLI::App* each) { return !name.empty() && each->get_name() == name; });
  return commands.empty() ? nullptr : commands.front();
}

auto beginning_with(const CLI::App& app, std::string_view word) -> std::vector<CLI::App*> {
  auto commands = listed_commands(app);
  std::erase_if(commands, [&](const CLI::App* each) { return !each->get_name().starts_with(word); });
  return commands;
}

// The word that may be a command of this one: neither an option nor an option's value.
std::string_view next_word(const CLI::App& app, std::span<const std::string> rest) {
  for (std::size_t i = 0; i < rest.size() && rest[i] != "--"; ++i) {
    if (!is_option(rest[i])) {
      return rest[i];
    }
    i += option_awaiting(app, rest[i]) != nullptr ? 1 : 0;
  }
  return {};
}

// Null: no command begins so, which the parser says better. The error: several do.
auto command_of(const CLI::App& app, const std::string& word, std::span<const std::string> rest)
    -> tl::expected<CLI::App*, std::string> {
  if (auto* exact = command_named(app, word)) {
    return exact;
  }
  auto begun = beginning_with(app, word);
  if (begun.size() > 1) {
    auto leading_on = begun;
    std::erase_if(leading_on, [&](const CLI::App* each) {
      const auto next = next_word(*each, rest);
      return next.empty() || beginning_with(*each, next).empty();
    });
    if (leading_on.size() != 1) {
      std::vector<std::string> names;
      std::ranges::transform(begun, std::back_inserter(names),
                             [](const CLI::App* each) { return each->get_name(); });
      return tl::unexpected{fmt::format("\"{}\" may be {}", word, fmt::join(names, ", "))};
    }
    begun = leading_on;
  }
  return begun.empty() ? nullptr : begun.front();
}

// What changes something: a slip of the hand must not be enough for it.
constexpr std::array written_whole{
    "reload",      "rollback",   "confirm",        "drain",
    "undrain",     "guard on",   "guard off",      "bgp apply",
    "bgp watch",   "route add",  "route replace",  "route del",
    "route batch", "route save", "next-hop drain", "next-hop undrain",
};

bool has_to_be_whole(const std::string& command, const Words& words) {
  return std::ranges::find(written_whole, command) != written_whole.end() ||
         (command == "stats" && std::ranges::find(words, "--clear") != words.end());
}

// The error names the whole command, where it has to be written whole and was not.
auto refuse_begun(const std::string& typed, const std::string& whole, const Words& words)
    -> tl::expected<void, std::string> {
  if (typed != whole && has_to_be_whole(whole, words)) {
    return tl::unexpected{fmt::format(
        "\"{}\" is `sekisho {}`, which has to be written whole: it changes something", typed, whole)};
  }
  return {};
}

}  // namespace

auto split_words(std::string_view line) -> tl::expected<Words, std::string> {
  Words words;
  bool is_open = false;  // a word has begun, which may be empty
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        words.back().push_back(c);
      }
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      is_open = false;
      continue;
    }
    if (!std::exchange(is_open, true)) {
      words.emplace_back();
    }
    if (c == '"' || c == '\'') {
      quote = c;
    } else if (c != '\\') {
      words.back().push_back(c);
    } else if (++i < line.size()) {
      words.back().push_back(line[i]);
    }
  }
  if (quote != 0) {
    return tl::unexpected{fmt::format("a {} is not closed", quote)};
  }
  return words;
}

auto listed_commands(const CLI::App& app) -> std::vector<CLI::App*> {
  std::vector<CLI::App*> result;
  for (auto* each : const_cast<CLI::App&>(app).get_subcommands({})) {
    if (!each->get_name().empty() && !each->get_group().empty()) {
      result.push_back(each);
    }
  }
  return result;
}

auto written_out(CLI::App& app, const Words& words, bool is_unfinished) -> tl::expected<Words, std::string> {
  Words result;
  std::string typed;  // the command, without options and arguments
  std::string whole;
  const CLI::App* at = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (is_unfinished && i + 1 == words.size()) {
      result.push_back(word);
      break;
    }
    if (word == "--") {
      result.insert(result.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    if (is_option(word)) {
      result.push_back(word == "-br" ? "--brief" : word);
      if (option_awaiting(*at, word) != nullptr && i + 1 < words.size()) {
        result.push_back(words[++i]);
      }
      continue;
    }
    const auto command = command_of(*at, word, std::span{words}.subspan(i + 1));
    if (!command) {
      return tl::unexpected{command.error()};
    }
    result.push_back(*command == nullptr ? word : (*command)->get_name());
    if (*command != nullptr) {
      at = *command;
      typed += (typed.empty() ? "" : " ") + word;
      whole += (whole.empty() ? "" : " ") + at->get_name();
    }
  }
  if (const auto refused = refuse_begun(typed, whole, words); !is_unfinished && !refused) {
    return tl::unexpected{refused.error()};
  }
  return result;
}

auto position_behind(CLI::App& app, const Words& words) -> Position {
  Position position{.command = &app, .awaits = nullptr, .given = {}};
  for (const auto& word : words) {
    if (std::exchange(position.awaits, nullptr) != nullptr) {
      continue;
    }
    if (is_option(word)) {
      position.awaits = option_awaiting(*position.command, word);
      continue;
    }
    if (auto* command = command_named(*position.command, word)) {
      position.command = command;
    } else {
      position.given.push_back(word);
    }
  }
  return position;
}

}  // namespace sekisho::cli
