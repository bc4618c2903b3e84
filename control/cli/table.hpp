// SPDX-License-Identifier: BSD-3-Clause
// Aligned columns for people: no boxes, two spaces between, numbers to the right. Rows may be printed in
// several goes, so that a long table needs no memory; its columns then only grow.
//
// On a terminal a table is as wide as that: columns that matter less are left out, and named beneath. What is written to a file or a
// pipe is whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/cli/output.hpp"

namespace sekisho::cli {

struct Column {
  std::string title;
  bool number = false;  // aligned to the right
  unsigned spares = 0;  // 0: always there; of the others the greatest goes first where there is no room
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;

  Cell(std::string content, Tone with = Tone::plain) : text(std::move(content)), tone(with) {}
  Cell(const char* content) : text(content) {}
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);
  void omit_titles();
  void add(std::vector<Cell> row);     // as many cells as columns; an empty cell prints "-"
  [[nodiscard]] std::string render();  // the rows since the last call; the titles come with the first

 private:
  void fit(std::size_t room);
  [[nodiscard]] std::size_t width() const;  // of what is not left out
  [[nodiscard]] std::string what_is_left_out(std::size_t room) const;
  void append(std::string& out, const std::vector<Cell>& row) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<bool> left_out_;
  std::vector<std::vector<Cell>> rows_;
  bool titled_ = false;
  bool fitted_ = false;
};

}  // namespace sekisho::cli
