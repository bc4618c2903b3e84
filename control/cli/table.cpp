// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)), left_out_(columns_.size(), false) {
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

void Table::omit_titles() {
  titled_ = true;
  widths_.assign(columns_.size(), 0);
}

std::size_t Table::width() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    sum += left_out_[i] ? 0 : widths_[i] + 2;
  }
  return sum - std::min<std::size_t>(sum, 2);
}

void Table::fit(std::size_t room) {
  while (width() > room) {
    std::size_t least = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!left_out_[i] && columns_[i].spares != 0 &&
          (least == columns_.size() || columns_[i].spares >= columns_[least].spares)) {
        least = i;
      }
    }
    if (least == columns_.size()) {
      return;  // the terminal breaks its lines
    }
    left_out_[least] = true;
  }
}

void Table::append(std::string& out, const std::vector<Cell>& row) const {
  auto last = row.size();
  while (last != 0 && left_out_[last - 1]) {
    --last;
  }
  for (std::size_t i = 0; i < last; ++i) {
    if (left_out_[i]) {
      continue;
    }
    const auto gap = widths_[i] - std::min(widths_[i], row[i].text.size());
    const auto is_last = i + 1 == last;
    const auto number = columns_[i].number;
    fmt::format_to(std::back_inserter(out), "{:{}}{}{:{}}{}", "", number ? gap : 0,
                   toned(row[i].text, row[i].tone), "", number || is_last ? 0 : gap, is_last ? "\n" : "  ");
  }
}

// In lines that fit, too. Empty: nothing is.
std::string Table::what_is_left_out(std::size_t room) const {
  std::string text;
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!left_out_[i]) {
      continue;
    }
    const auto& title = columns_[i].title;
    if (line.empty() && text.empty()) {
      line = "(no room, but with `| cat`: " + title;
    } else if (line.size() + title.size() + 3 > room) {
      text += line + ",\n";
      line = " " + title;
    } else {
      line += ", " + title;
    }
  }
  return line.empty() ? line : text + line + ")\n";
}

std::string Table::render() {
  std::string out;
  const auto room = std::exchange(fitted_, true) ? std::nullopt : terminal_width();
  if (room) {
    fit(*room);
  }
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
  return room ? out + what_is_left_out(*room) : out;
}

}  // namespace sekisho::cli
