// SPDX-License-Identifier: BSD-3-Clause
// [[assert]]: statements about all packets. What they name is checked here; whether they hold, control/prove decides.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

// Each is a walk through a zone's table.
constexpr std::size_t max_assertions = 256;

// The value of a key that takes a string or an array of them.
auto one_or_more(const Section& section, std::string_view key) -> std::vector<Located<std::string>> {
  const auto* node = section.node(key);
  if (node != nullptr && node->is_string())
    return {*section.text(key)};
  if (node != nullptr && !node->is_array()) {
    section.wrong_type(*node, key, "a string or an array of strings");
    return {};
  }
  return section.required_texts(key);
}

// What stands behind "zone:" and its like; nothing: the text does not begin so.
auto behind(std::string_view text, std::string_view word) -> std::optional<std::string> {
  return text.starts_with(word) ? std::optional<std::string>{text.substr(word.size())} : std::nullopt;
}

}  // namespace

void Reader::read_assertions(const toml::table& root) {
  const auto found = root.find("assert");
  if (found == root.end())
    return;
  const auto* entries = found->second.as_array();
  if (entries == nullptr)
    return refuse(found->first.source().begin.line, "\"assert\" must be tables, each as [[assert]]");
  for (const auto& entry : *entries) {
    if (const auto* table = entry.as_table())
      read_assertion({table, line_of(entry)});
    else
      refuse(line_of(entry), "\"assert\" must be tables, each as [[assert]]");
  }
  if (config_.assertions.size() > max_assertions)
    refuse(config_.assertions[max_assertions].line, fmt::format("more than {} assertions", max_assertions));
}

void Reader::read_assertion(const SingleTable& found) {
  const Section section{*found.table, found.line, "[[assert]]", problems_, keys::assertion};
  Assertion assertion;
  assertion.line = found.line;
  if (const auto name = section.text("name"))
    assertion.name = name->value;
  if (const auto from = section.required_text("from"))
    read_assertion_source(*from, assertion);
  for (const auto& text : one_or_more(section, "to"))
    assertion.to.push_back(read_destination(text));
  for (const auto& text : one_or_more(section, "via"))
    assertion.via.push_back(read_way(text));
  if (section.has("except")) {
    for (const auto& text : one_or_more(section, "except"))
      assertion.except.push_back(read_destination(text));
  }
  config_.assertions.push_back(std::move(assertion));
}

void Reader::read_assertion_source(const Located<std::string>& text, Assertion& assertion) {
  if (auto name = behind(text.value, "zone:")) {
    std::vector<std::string_view> zones;
    std::ranges::transform(config_.zones, std::back_inserter(zones), &Zone::name);
    if (std::ranges::find(zones, *name) == zones.end())
      refuse(text.line,
             fmt::format("there is no zone {}{}", base::in_quotes(*name), base::suggestion(*name, zones)));
    assertion.zone = std::move(*name);
    return;
  }
  if (const auto prefix = base::parse_prefix(text.value))
    assertion.from = *prefix;
  else
    refuse(text.line, fmt::format("\"from\" is \"zone:NAME\" or a prefix: {}", prefix.error()));
}

auto Reader::read_destination(const Located<std::string>& text) -> Destination {
  using Kind = Destination::Kind;
  if (text.value == "internet")
    return {.kind = Kind::internet, .line = text.line};
  if (auto name = behind(text.value, "tag:")) {
    if (config_.azure.service_tags.empty())
      refuse(text.line, fmt::format("what {} means, a file tells: write service_tags = \"FILE\" in [azure]",
                                    base::in_quotes(text.value)));
    return {.kind = Kind::tag, .name = std::move(*name), .line = text.line};
  }
  if (auto name = behind(text.value, "preset:")) {
    check_preset({*name, text.line});
    return {.kind = Kind::preset, .name = std::move(*name), .line = text.line};
  }
  const auto prefix = base::parse_prefix(text.value);
  if (!prefix)
    refuse(text.line,
           fmt::format("a destination is \"internet\", a prefix, \"tag:NAME\" or \"preset:NAME\": {}",
                       prefix.error()));
  return {.kind = Kind::prefix, .prefix = prefix.value_or(base::Prefix{}), .line = text.line};
}

auto Reader::read_way(const Located<std::string>& text) -> std::string {
  if (text.value == dropped)
    return std::string{none};
  if (text.value == connected)
    return text.value;
  return resolve_next_hop(text);
}

}  // namespace sekisho::config
