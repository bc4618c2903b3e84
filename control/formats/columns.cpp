// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"
#include "control/formats/text_lines.hpp"

namespace sekisho::formats {
namespace {

struct Cell {
  std::size_t begin = 0;
  std::string_view text;
};

// What is separated by two blanks or more: one blank may stand in a cell.
auto cells_of(std::string_view line) -> std::vector<Cell> {
  std::vector<Cell> result;
  for (std::size_t begin = line.find_first_not_of(' '); begin != std::string_view::npos;) {
    auto end = std::min(line.find("  ", begin), line.size());
    const auto text = line.substr(begin, end - begin);
    result.push_back({begin, text.substr(0, text.find_last_not_of(' ') + 1)});
    begin = line.find_first_not_of(' ', end);
  }
  return result;
}

auto title_of(std::string_view text) -> std::string {
  std::string result;
  for (const char c : text)
    if (c != ' ')
      result += base::lower(c);
  return result;
}

bool is_rule(std::string_view line) {
  return !line.empty() && line.find_first_not_of("- ") == std::string_view::npos;
}

// Where each column begins: below a title stands a run of dashes.
auto begins_of(std::string_view rule) -> std::vector<std::size_t> {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < rule.size(); ++i)
    if (rule[i] == '-' && (i == 0 || rule[i - 1] == ' '))
      result.push_back(i);
  return result;
}

// The first line that says something, and what is behind it.
struct Head {
  std::string_view line;
  std::string_view rest;
  unsigned number = 0;
};
auto head_of(std::string_view text) -> Head {
  Head head{.rest = text};
  while (!head.rest.empty()) {
    ++head.number;
    head.line = next_line(head.rest);
    if (!words_of_line(head.line).empty())
      return head;
  }
  return {};
}

auto titles_at(std::string_view line, const std::vector<std::size_t>& begins) -> std::vector<std::string> {
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto begin = std::min(begins[i], line.size());
    const auto end = i + 1 < begins.size() ? begins[i + 1] : line.size();
    titles.push_back(title_of(line.substr(begin, std::max(begin, std::min(end, line.size())) - begin)));
  }
  return titles;
}

// The column that begins nearest; people edit such tables by hand, and a cell may be off by a little.
auto column_of(std::size_t begin, const std::vector<std::size_t>& begins) -> std::optional<std::size_t> {
  constexpr std::size_t most = 2;
  for (std::size_t i = 0; i < begins.size(); ++i)
    if (std::max(begin, begins[i]) - std::min(begin, begins[i]) <= most)
      return i;
  return std::nullopt;
}

// A record of RFC 4180; nullopt: its quotes do not close.
auto split_csv(std::string_view line) -> std::optional<std::vector<std::string>> {
  std::vector<std::string> fields{""};
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && line.substr(i + 1).starts_with('"'))
      fields.back() += line[i++];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return quoted ? std::nullopt : std::optional{fields};
}

auto refuse(const std::filesystem::path& file, unsigned line, std::string reason) {
  return tl::unexpected(base::Error{file, line, std::move(reason)});
}

}  // namespace

auto TextTable::cell(const TextRow& row, std::string_view title) const -> std::string {
  const auto found = std::ranges::find(titles, title);
  return found == titles.end() ? std::string{} : row.cells[static_cast<std::size_t>(found - titles.begin())];
}

auto titles_of_columns(std::string_view text) -> std::vector<std::string> {
  auto head = head_of(beginning_of(text));
  const auto rule = next_line(head.rest);
  return is_rule(rule) ? titles_at(head.line, begins_of(rule)) : std::vector<std::string>{};
}

auto titles_of_csv(std::string_view text) -> std::vector<std::string> {
  auto fields = split_csv(head_of(beginning_of(text)).line);
  if (!fields)
    return {};
  std::ranges::transform(*fields, fields->begin(), title_of);
  return *fields;
}

auto parse_columns(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<TextTable, base::Error> {
  auto head = head_of(text);
  auto number = head.number + 1;
  const auto rule = next_line(head.rest);
  if (!is_rule(rule))
    return refuse(file, number, "is not the line of dashes below the titles of a table");
  const auto begins = begins_of(rule);
  TextTable table{.titles = titles_at(head.line, begins)};
  while (!head.rest.empty()) {
    ++number;
    const auto line = next_line(head.rest);
    if (words_of_line(line).empty())
      continue;
    TextRow row{.cells = std::vector<std::string>(begins.size()), .line = number};
    for (const auto& [begin, cell] : cells_of(line)) {
      const auto column = column_of(begin, begins);
      if (!column || !row.cells[*column].empty())
        return refuse(file, number, fmt::format("{} stands below no title", base::in_quotes(cell)));
      row.cells[*column] = cell;
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

auto parse_csv(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<TextTable, base::Error> {
  auto head = head_of(text);
  TextTable table{.titles = titles_of_csv(text)};
  for (auto number = head.number; !head.rest.empty();) {
    ++number;
    const auto line = next_line(head.rest);
    if (words_of_line(line).empty())
      continue;
    auto fields = split_csv(line);
    if (!fields)
      return refuse(file, number, "has a quote that is not closed");
    if (fields->size() != table.titles.size())
      return refuse(
          file, number,
          fmt::format("has {} fields where the titles are {}", fields->size(), table.titles.size()));
    table.rows.push_back({std::move(*fields), number});
  }
  return table;
}

}  // namespace sekisho::formats
