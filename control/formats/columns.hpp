// SPDX-License-Identifier: BSD-3-Clause
// A table in text, by columns or by commas: its titles and rows. Titles are in small letters, without blanks.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"

namespace sekisho::formats {

struct TextRow {
  std::vector<std::string> cells;  // as many as there are titles
  unsigned line = 0;
};

struct TextTable {
  std::vector<std::string> titles;
  std::vector<TextRow> rows;

  // "" where there is no such title.
  [[nodiscard]] auto cell(const TextRow& row, std::string_view title) const -> std::string;
};

// The titles that a text begins with: "addressprefix", "nexthoptype"; empty: it begins with something else.
[[nodiscard]] auto titles_of_columns(std::string_view text) -> std::vector<std::string>;
[[nodiscard]] auto titles_of_csv(std::string_view text) -> std::vector<std::string>;

// Titles, a line of dashes below each, rows. A cell belongs to the column where it begins.
[[nodiscard]] auto parse_columns(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<TextTable, base::Error>;
// RFC 4180, a record a line.
[[nodiscard]] auto parse_csv(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<TextTable, base::Error>;

}  // namespace sekisho::formats
