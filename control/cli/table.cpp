// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const auto& column : columns_) {
    widths_.push_back(column.title.size());
  }
}

void Table::add(std::vector<Cell> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].text.empty()) {
      row[i].text.assign(1, '-');
    }
    widths_[i] = std::max(widths_[i], row[i].text.size());
  }
  rows_.push_back(std::move(row));
}

void Table::append(std::string& out, const std::vector<Cell>& row) const {
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto gap = widths_[i] - std::min(widths_[i], row[i].text.size());
    const auto last = i + 1 == row.size();
    const auto number = columns_[i].number;
    fmt::format_to(std::back_inserter(out), "{:{}}{}{:{}}{}", "", number ? gap : 0,
                   toned(row[i].text, row[i].tone), "", number || last ? 0 : gap, last ? "\n" : "  ");
  }
}

std::string Table::render() {
  std::string out;
  if (!std::exchange(titled_, true)) {
    std::vector<Cell> titles;
    for (const auto& column : columns_) {
      titles.emplace_back(column.title, Tone::heading);
    }
    append(out, titles);
  }
  for (const auto& row : rows_) {
    append(out, row);
  }
  rows_.clear();
  return out;
}

}  // namespace sekisho::cli
