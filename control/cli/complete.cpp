// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/complete.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "control/cli/client.hpp"
#include "control/config/presets.hpp"
#include "control/formats/format.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {
namespace {

constexpr int file_wanted = 10;

// Nothing, where control is not there.
Json names(const std::string& socket) {
  const auto client = Client::connect(socket, std::chrono::seconds{1});
  auto told = client ? (*client)->ask({{"command", "show"}, {"what", "names"}})
                     : tl::expected<Json, std::string>{tl::unexpected{client.error()}};
  return told && told->is_object() ? *std::move(told) : Json::object();
}

void add_names(std::vector<Candidate>& to, const Json& list, const char* what) {
  for (const auto& each : list) {
    if (each.is_string()) {
      to.push_back({each.get<std::string>(), what});
    }
  }
}

void add_next_hops(std::vector<Candidate>& to, const Json& told) {
  for (const auto& each : told.value("next_hops", Json::array())) {
    to.push_back({each.value("name", std::string{}), "next hop"});
  }
}

// Of the next hop that is named before it, or of all.
void add_members(std::vector<Candidate>& to, const Json& told, const Words& given) {
  for (const auto& each : told.value("next_hops", Json::array())) {
    if (given.empty() || each.value("name", std::string{}) == given.back()) {
      add_names(to, each.value("members", Json::array()), "member");
    }
  }
}

// What a value is called in the help decides: "ZONE", "LEVEL:{debug,info}", "FILE".
auto known_values_of(const CLI::Option& option, const Words& given, const std::string& socket) -> Completion {
  const auto kind = option.get_type_name();
  Completion result;
  auto& to = result.candidates;
  if (const auto begin = kind.find('{'); begin != std::string::npos) {
    auto choices = kind.substr(begin + 1, kind.find('}', begin) - begin - 1);
    std::ranges::replace(choices, ',', ' ');
    for (auto& choice : split_words(choices).value_or(Words{})) {
      to.push_back({std::move(choice), ""});
    }
  } else if (kind == "ZONE") {
    add_names(to, names(socket).value("zones", Json::array()), "zone");
  } else if (kind == "PORT") {
    add_names(to, names(socket).value("ports", Json::array()), "port");
  } else if (kind == "NEXT-HOP") {
    add_next_hops(to, names(socket));
    if (option.get_description().find("None or Internet") != std::string::npos) {
      to.push_back({"None", "drops"});
      to.push_back({"Internet", "leaves by the exit"});
    }
  } else if (kind == "MEMBER") {
    add_members(to, names(socket), given);
  } else if (kind == "REASON") {
    for (const auto reason : serve::dataplane_reasons()) {
      to.push_back({std::string{reason}, std::string{serve::sentence_of(reason)}});
    }
  } else if (kind == "PRESET") {
    for (const auto& preset : config::route_presets()) {
      to.push_back({std::string{preset.name}, std::string{preset.what}});
    }
  } else if (kind == "FORMAT") {
    for (const auto& row : formats::formats()) {
      to.push_back({std::string{row.name}, std::string{row.holds}});
    }
  } else {
    result.wants_file = kind.starts_with("FILE") || kind.starts_with("PATH") ||
                        kind.starts_with("DIRECTORY") || kind.starts_with("TABLE");
  }
  return result;
}

// Whoever types is not told that a sekisho-control of another version answers otherwise: there are no names then.
auto values_of(const CLI::Option& option, const Words& given, const std::string& socket) -> Completion {
  try {
    return known_values_of(option, given, socket);
  } catch (const Json::exception&) {
    return {};
  }
}

// Each name once: the nearest command's means.
void add_option(std::vector<Candidate>& to, const CLI::Option& option) {
  if (std::ranges::find(to, option.get_name(), &Candidate::word) == to.end()) {
    to.push_back({option.get_name(), option.get_description()});
  }
}

void add_options(std::vector<Candidate>& to, const CLI::App& command) {
  for (const auto* at = &command; at != nullptr; at = at->get_parent()) {
    const auto own = at->get_options(
        [](const CLI::Option* option) { return option->nonpositional() && !option->get_group().empty(); });
    for (const auto* option : own) {
      add_option(to, *option);
    }
    // A group of options is a command without a name.
    for (const auto* group :
         at->get_subcommands([](const CLI::App* each) { return each->get_name().empty(); })) {
      for (const auto* option :
           group->get_options([](const CLI::Option* each) { return each->nonpositional(); })) {
        add_option(to, *option);
      }
    }
  }
}

// The argument that comes next; null: none is left.
const CLI::Option* next_argument(const CLI::App& command, std::size_t given) {
  const auto all = command.get_options(
      [](const CLI::Option* option) { return option->get_positional() && !option->get_group().empty(); });
  if (all.empty()) {
    return nullptr;
  }
  const auto takes_more = all.back()->get_items_expected_max() > 1;
  return given < all.size() ? all[given] : takes_more ? all.back() : nullptr;
}

void keep_beginning(std::vector<Candidate>& candidates, std::string_view begun) {
  std::erase_if(candidates, [&](const Candidate& each) { return !each.word.starts_with(begun); });
}

}  // namespace

auto complete(CLI::App& app, const Words& words, std::string socket) -> Completion {
  const std::string begun = words.empty() ? std::string{} : words.back();
  auto before = written_out(app, words, true);
  if (!before) {
    return {};
  }
  if (!before->empty()) {
    before->pop_back();
  }
  constexpr std::string_view with_value = "--socket=";
  for (std::size_t i = 0; i < before->size(); ++i) {
    const auto& word = (*before)[i];
    if (word.starts_with(with_value)) {
      socket = word.substr(with_value.size());
    } else if (word == "--socket" && i + 1 < before->size()) {
      socket = (*before)[i + 1];
    }
  }
  const auto position = position_behind(app, *before);
  if (position.awaits != nullptr) {
    auto result = values_of(*position.awaits, position.given, socket);
    keep_beginning(result.candidates, begun);
    return result;
  }
  Completion result;
  if (begun.starts_with('-')) {
    add_options(result.candidates, *position.command);
    keep_beginning(result.candidates, begun);
    return result;
  }
  const auto commands = listed_commands(*position.command);
  if (const auto* argument = next_argument(*position.command, position.given.size())) {
    result = values_of(*argument, position.given, socket);
  }
  std::ranges::transform(commands, std::back_inserter(result.candidates), [](const CLI::App* each) {
    return Candidate{each->get_name(), each->get_description()};
  });
  keep_beginning(result.candidates, begun);
  if (result.candidates.empty() && begun.empty() && !result.wants_file) {
    add_options(result.candidates, *position.command);
  }
  return result;
}

int print_completion(CLI::App& app, Words words, std::string socket) {
  const bool describes = !words.empty() && words.front() == "--describe";
  if (describes) {
    words.erase(words.begin());
  }
  if (!words.empty() && words.front() == "--") {
    words.erase(words.begin());
  }
  const auto result = complete(app, words, std::move(socket));
  for (const auto& each : result.candidates) {
    if (describes && !each.what.empty()) {
      fmt::print("{}\t{}\n", each.word, each.what.substr(0, each.what.find('\n')));
    } else {
      fmt::print("{}\n", each.word);
    }
  }
  return result.wants_file ? file_wanted : 0;
}

}  // namespace sekisho::cli
