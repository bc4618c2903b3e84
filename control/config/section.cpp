// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "common/base/duration.hpp"
#include "common/base/text.hpp"
#include "control/config/words.hpp"

namespace sekisho::config {
namespace {

auto type_name(const toml::node& node) -> std::string_view {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

}  // namespace

unsigned line_of(const toml::node& node) {
  return node.source().begin.line;
}

Section::Section(const toml::table& table, unsigned line, std::string name, Problems& problems,
                 const KeyTable& known)
    : table_(table), line_(line), name_(std::move(name)), problems_(problems), known_(known) {
  for (auto&& [key, node] : table_) {
    if (known_.find(key.str()) != nullptr)
      continue;
    strange_keys_ = true;
    std::vector<std::string_view> names;
    std::ranges::transform(known_.keys, std::back_inserter(names), &Key::name);
    problems_.add(key.source().begin.line, fmt::format("{} is not a key of {}{}", base::in_quotes(key.str()),
                                                       name_, base::suggestion(key.str(), names)));
  }
}

auto Section::known(std::string_view key) const -> const Key& {
  if (const auto* found = known_.find(key))
    return *found;
  throw std::logic_error{fmt::format("{} is read in {} and is not in its table (control/config/keys.hpp)",
                                     base::in_quotes(key), known_.name)};
}

auto Section::node(std::string_view key) const -> const toml::node* {
  return table_.get(known(key).name);
}

auto Section::range(std::string_view key) const -> KeyRange {
  return known(key).range.value();
}

unsigned Section::line_of_key(std::string_view key) const {
  const auto found = table_.find(known(key).name);
  return found == table_.end() ? line_ : found->first.source().begin.line;
}

void Section::wrong_type(const toml::node& node, std::string_view key, std::string_view wanted) const {
  problems_.add(line_of(node), fmt::format("{} in {} must be {}, not {}", base::in_quotes(key), name_, wanted,
                                           type_name(node)));
}

void Section::require(std::string_view key) const {
  if (!has(key) && !strange_keys_)
    problems_.add(line_, fmt::format("{} needs {}", name_, base::in_quotes(key)));
}

auto Section::text(std::string_view key) const -> std::optional<Located<std::string>> {
  const auto* node = this->node(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* value = node->as_string())
    return Located<std::string>{value->get(), line_of(*node)};
  wrong_type(*node, key, "a string");
  return std::nullopt;
}

auto Section::integer(std::string_view key) const -> std::optional<Located<std::int64_t>> {
  const auto* node = this->node(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* value = node->as_integer())
    return Located<std::int64_t>{value->get(), line_of(*node)};
  wrong_type(*node, key, "an integer");
  return std::nullopt;
}

auto Section::number(std::string_view key) const -> std::optional<std::int64_t> {
  const auto value = integer(key);
  if (!value)
    return std::nullopt;
  const auto [least, most] = range(key);
  if (value->value < least || value->value > most) {
    problems_.add(value->line, fmt::format("\"{}\" is {} to {}, not {}", key, least, most, value->value));
    return std::nullopt;
  }
  return value->value;
}

auto Section::boolean(std::string_view key) const -> std::optional<Located<bool>> {
  const auto* node = this->node(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* value = node->as_boolean())
    return Located<bool>{value->get(), line_of(*node)};
  wrong_type(*node, key, "true or false");
  return std::nullopt;
}

auto Section::array(std::string_view key, std::string_view of) const -> const toml::array* {
  const auto* node = this->node(key);
  if (node == nullptr)
    return nullptr;
  const auto* array = node->as_array();
  if (array == nullptr)
    wrong_type(*node, key, fmt::format("an array of {}", of));
  return array;
}

auto Section::time(std::string_view key) const -> std::optional<std::chrono::milliseconds> {
  const auto bounds = range(key);
  const std::chrono::milliseconds least{bounds.least};
  const std::chrono::milliseconds most{bounds.most};
  const auto written = text(key);
  if (!written)
    return std::nullopt;
  const auto value = base::parse_duration(written->value);
  if (!value) {
    problems_.add(written->line, fmt::format("{} is not a time: write \"500ms\", \"30s\" or \"5m\"",
                                             base::in_quotes(written->value)));
    return std::nullopt;
  }
  if (*value < least || *value > most) {
    problems_.add(written->line, fmt::format("\"{}\" is {} to {}, not {}", key, base::to_string(least),
                                             base::to_string(most), written->value));
    return std::nullopt;
  }
  return value;
}

auto Section::texts(std::string_view key) const -> std::vector<Located<std::string>> {
  return texts_of(array(key, "strings"), key);
}

auto Section::texts_of(const toml::array* values, std::string_view key) const
    -> std::vector<Located<std::string>> {
  std::vector<Located<std::string>> result;
  if (values == nullptr)
    return result;
  for (const auto& element : *values) {
    if (const auto* value = element.as_string())
      result.push_back({value->get(), line_of(element)});
    else
      wrong_type(element, key, "an array of strings only");
  }
  return result;
}

auto Section::choose(std::string_view key) const -> std::optional<std::string_view> {
  const auto value = text(key);
  if (!value)
    return std::nullopt;
  const auto words = known(key).words;
  if (const auto found = std::ranges::find(words, value->value); found != words.end())
    return *found;
  std::string list;
  for (const auto word : words)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : word == words.back() ? " or " : ", ", word);
  problems_.add(value->line, fmt::format("{} in {} is {}, not {}", base::in_quotes(key), name_, list,
                                         base::in_quotes(value->value)));
  return std::nullopt;
}

auto Section::required_text(std::string_view key) const -> std::optional<Located<std::string>> {
  require(key);
  return text(key);
}

auto Section::required_integer(std::string_view key) const -> std::optional<Located<std::int64_t>> {
  require(key);
  return integer(key);
}

auto Section::required_array(std::string_view key, std::string_view of) const -> const toml::array* {
  require(key);
  const auto* values = array(key, of);
  if (values != nullptr && values->empty())
    problems_.add(line_of_key(key), fmt::format("{} in {} is empty", base::in_quotes(key), name_));
  return values;
}

auto Section::required_texts(std::string_view key) const -> std::vector<Located<std::string>> {
  return texts_of(required_array(key, "strings"), key);
}

auto single_table(const toml::table& root, std::string_view key, Problems& problems)
    -> std::optional<SingleTable> {
  const auto found = root.find(key);
  if (found == root.end())
    return std::nullopt;
  const unsigned line = found->first.source().begin.line;
  if (const auto* table = found->second.as_table())
    return SingleTable{table, line};
  problems.add(line, fmt::format("{} must be a table, [{}]", base::in_quotes(key), key));
  return std::nullopt;
}

auto named_tables(const toml::table& root, std::string_view key, Problems& problems)
    -> std::vector<NamedTable> {
  std::vector<NamedTable> result;
  const auto found = root.find(key);
  if (found == root.end())
    return result;
  const auto* tables = found->second.as_table();
  if (tables == nullptr) {
    problems.add(found->first.source().begin.line,
                 fmt::format("{} must be tables with names, as [{}.NAME]", base::in_quotes(key), key));
    return result;
  }
  for (auto&& [name, node] : *tables) {
    const unsigned line = name.source().begin.line;
    if (const auto reason = refuse_name(name.str()))
      problems.add(line, *reason);
    else if (const auto* table = node.as_table())
      result.push_back({std::string{name.str()}, table, line});
    else
      problems.add(line,
                   fmt::format("{} must be a table, [{}.{}]", base::in_quotes(name.str()), key, name.str()));
  }
  std::ranges::stable_sort(result, {}, &NamedTable::line);
  return result;
}

}  // namespace sekisho::config
