// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/azure_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/columns.hpp"
#include "control/formats/text_lines.hpp"

namespace sekisho::formats {
namespace {

using Table = tl::expected<TextTable, base::Error>;

// The portal's words for Azure's, without blanks and in small letters.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> words_of_portal{
    {{"virtualnetwork", "VnetLocal"},
     {"virtualnetworkpeering", "VNetPeering"},
     {"globalvirtualnetworkpeering", "VNetGlobalPeering"},
     {"globalvnetpeering", "VNetGlobalPeering"},
     {"serviceendpoint", "VirtualNetworkServiceEndpoint"},
     {"virtualnetworkserviceendpoint", "VirtualNetworkServiceEndpoint"},
     {"virtualnetworkgateway", "VirtualNetworkGateway"}}};

auto without_blanks(std::string text) -> std::string {
  std::erase(text, ' ');
  return text;
}

auto type_word(const std::string& cell) -> std::string {
  auto word = without_blanks(cell);
  for (const auto& [portal, azure] : words_of_portal)
    if (base::equal_without_case(word, portal))
      return std::string{azure};
  return word;
}

// "10.1.0.6 10.1.0.7", "10.1.0.6, 10.1.0.7", "{10.1.0.6}", "-".
auto words_of_cell(std::string cell) -> Json {
  std::ranges::replace_if(
      cell, [](char c) { return c == ',' || c == ';' || c == '{' || c == '}'; }, ' ');
  auto result = Json::array();
  for (const auto word : words_of_line(cell))
    if (word != "-")
      result.push_back(word);
  return result;
}

auto text_or_null(const std::string& cell) -> Json {
  return cell.empty() || cell == "-" ? Json(nullptr) : Json(cell);
}

bool has(const std::vector<std::string>& titles, std::string_view title) {
  return std::ranges::find(titles, title) != titles.end();
}

auto first_of(const TextTable& table, const TextRow& row, std::initializer_list<std::string_view> titles)
    -> std::string {
  for (const auto title : titles)
    if (auto cell = table.cell(row, title); !cell.empty())
      return cell;
  return {};
}

// "$[3].state" -> the line of the fourth row: what stands in text has no JSONPath.
void set_line(base::Error& where, const std::vector<TextRow>& rows) {
  constexpr std::string_view lead = "$[";
  std::size_t row = 0;
  if (where.path.starts_with(lead))
    std::from_chars(where.path.data() + lead.size(), where.path.data() + where.path.size(), row);
  where.line = row < rows.size() ? rows[row].line : 0;
  where.path.clear();
}

// What `read` makes of rows in JSON, told by their lines in the text.
template <typename Read>
auto read_rows(const Content& content, const Table& table, Format format,
               Json (*row_of)(const TextTable&, const TextRow&), Read read) -> Reading {
  if (!table)
    return tl::unexpected(table.error());
  auto rows = Json::array();
  for (const auto& row : table->rows)
    rows.push_back(row_of(*table, row));
  RouteCollector routes{content.file, format};
  if (auto done = read(rows, routes); !done) {
    set_line(done.error(), table->rows);
    return tl::unexpected(std::move(done.error()));
  }
  for (auto& finding : routes.result.findings)
    set_line(finding.where, table->rows);
  return std::move(routes.result);
}

auto effective_row(const TextTable& table, const TextRow& row) -> Json {
  return {{"source", without_blanks(table.cell(row, "source"))},
          {"state", table.cell(row, "state")},
          {"addressPrefix", words_of_cell(first_of(table, row, {"addressprefix", "addressprefixes"}))},
          {"nextHopType", type_word(table.cell(row, "nexthoptype"))},
          {"nextHopIpAddress", words_of_cell(first_of(table, row, {"nexthopip", "nexthopipaddress"}))},
          {"name", text_or_null(first_of(table, row, {"userdefinedroutename", "name"}))}};
}

auto route_row(const TextTable& table, const TextRow& row) -> Json {
  return {{"name", text_or_null(table.cell(row, "name"))},
          {"addressPrefix", table.cell(row, "addressprefix")},
          {"nextHopType", table.cell(row, "nexthoptype")},
          {"nextHopIpAddress", text_or_null(table.cell(row, "nexthopipaddress"))}};
}

auto read_effective(const Json& rows, RouteCollector& routes) -> tl::expected<void, base::Error> {
  return read_effective_routes(rows, "$", routes);
}

bool are_effective(const std::vector<std::string>& titles) {
  return has(titles, "source") && has(titles, "state") && has(titles, "nexthoptype");
}

}  // namespace

bool holds_effective_table(const Content& content) {
  return are_effective(titles_of_columns(content.bytes));
}

auto read_effective_table(const Content& content, const Options& /*options*/) -> Reading {
  return read_rows(content, parse_columns(content.bytes, content.file), Format::effective_table,
                   effective_row, read_effective);
}

bool holds_effective_csv(const Content& content) {
  return are_effective(titles_of_csv(content.bytes));
}

auto read_effective_csv(const Content& content, const Options& /*options*/) -> Reading {
  return read_rows(content, parse_csv(content.bytes, content.file), Format::effective_csv, effective_row,
                   read_effective);
}

bool holds_route_columns(const Content& content) {
  const auto titles = titles_of_columns(content.bytes);
  return has(titles, "addressprefix") && has(titles, "nexthoptype") && !are_effective(titles);
}

auto read_route_columns(const Content& content, const Options& /*options*/) -> Reading {
  const auto read = [](const Json& rows, RouteCollector& routes) -> tl::expected<void, base::Error> {
    RouteTableReader reader{routes};
    const auto table = reader.absent_table("", "the table");
    if (!table)
      return tl::unexpected(table.error());
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const auto done = reader.route(rows[i], element_path("$", i), *table); !done)
        return done;
    for (auto& route : routes.result.tag_routes)
      route.path.clear();
    return {};
  };
  return read_rows(content, parse_columns(content.bytes, content.file), Format::route_table_text, route_row,
                   read);
}

}  // namespace sekisho::formats
