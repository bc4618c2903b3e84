// SPDX-License-Identifier: BSD-3-Clause
// The formats that route files come in, each one row of one table. Content tells which it is, never a file's name. Two rows
// that recognise the same content are an ambiguity, and an error that names both: who reads says which (`--format`).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/json.hpp"
#include "control/formats/options.hpp"
#include "control/formats/route_file.hpp"
#include "control/formats/write.hpp"

namespace sekisho::formats {

// What a file holds once it is decompressed.
struct Content {
  std::filesystem::path file;
  std::string_view bytes;
  const Json* document = nullptr;  // null: it is no JSON
  // Of a document that is a list, as az prints them, or has one for its "value", as REST does: that list. Null: it is none.
  const Json* list = nullptr;
  std::string list_path{};  // JSONPath
};

using Reading = tl::expected<RouteFile, base::Error>;
// How many routes are left out because the format cannot say them; the error is a sentence.
using Writing = tl::expected<std::size_t, std::string>;

struct FormatRow {
  Format format = Format::text;
  std::string_view name;   // as `--format` and `--to` have it
  std::string_view holds;  // in messages: "Azure route table"
  std::string_view from;   // what makes such files
  bool is_json = false;    // then `recognise` and `read` are given a document,
                           // else bytes that are none
  bool (*recognise)(const Content& content) = nullptr;
  Reading (*read)(const Content& content, const Options& options) = nullptr;
  Writing (*write)(const std::vector<RouteFile>& files,
                   const Sink& sink) = nullptr;  // null: only read
};

// In the order in which they are asked.
[[nodiscard]] std::span<const FormatRow> formats() noexcept;
[[nodiscard]] const FormatRow& row_of(Format format) noexcept;
// By its name; null: there is none.
[[nodiscard]] const FormatRow* find_format(std::string_view name) noexcept;

// Reads what was read from `file` and decompressed.
[[nodiscard]] auto parse_routes(std::string_view bytes, const std::filesystem::path& file,
                                const Options& options = {}) -> Reading;
// The same of JSON.
[[nodiscard]] auto parse_document(std::string_view text, const std::filesystem::path& file,
                                  const Options& options = {}) -> Reading;

}  // namespace sekisho::formats
