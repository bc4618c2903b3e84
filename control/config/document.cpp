// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"
#include "control/config/include.hpp"

namespace sekisho::config {
namespace {

constexpr std::string_view include_key = "include";
// Tables of tables, each with a name of its own: several files may have some of them.
constexpr std::array<std::string_view, 3> named{"port", "next_hop", "zone"};
// Of all files.
constexpr std::size_t most_bytes = std::size_t{16} << 20;
constexpr std::size_t most_lines = 1'000'000;

}  // namespace

// The parser counts the lines of one text: behind as many empty lines as the files before it have, its own are counted through.
auto Document::add(std::string_view text, base::Stamp of) -> tl::expected<void, base::Error> {
  const bool is_first = lines_ == 0;
  const auto file = of.file.native();
  const auto before = lines_;
  bytes_ += text.size();
  const auto lines = before + static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (bytes_ > most_bytes || lines > most_lines)
    return tl::unexpected(base::Error{of.file, 0,
                                      fmt::format("with it the configuration has more than {}",
                                                  bytes_ > most_bytes ? "16 MiB" : "1,000,000 lines")});
  places_.push_back(place_of(of.file));
  if (!is_first)
    files_.included.push_back({std::move(of), before});
  std::string behind(before, '\n');
  behind += text;
  lines_ = static_cast<unsigned>(lines);
  toml::table root;
  try {
    root = toml::parse(behind, std::string_view{file});
  } catch (const toml::parse_error& error) {
    // What is no UTF-8 is said of the character before it, which may be in the file before.
    return tl::unexpected(
        at(std::max<unsigned>(error.source().begin.line, before + 1), std::string{error.description()}));
  }
  if (is_first) {
    root_ = std::move(root);
    return {};
  }
  if (const auto found = root.find(include_key); found != root.end())
    return tl::unexpected(
        at(found->first.source().begin.line,
           "\"include\" in an included file: only the configuration itself includes others"));
  return merge(root_, root, {});
}

auto Document::merge(toml::table& into, toml::table& from, std::string_view within)
    -> tl::expected<void, base::Error> {
  for (auto&& [key, node] : from) {
    const auto there = into.find(key.str());
    if (there == into.end()) {
      into.insert(key, std::move(node));
      continue;
    }
    if (within.empty() && std::ranges::find(named, key.str()) != named.end() && there->second.is_table() &&
        node.is_table()) {
      if (auto merged = merge(*there->second.as_table(), *node.as_table(), key.str()); !merged)
        return merged;
    } else if (within.empty() && there->second.is_array_of_tables() && node.is_array_of_tables()) {
      for (auto&& entry : *node.as_array())
        there->second.as_array()->push_back(std::move(entry));
    } else {
      const unsigned line = key.source().begin.line;
      const unsigned other = there->first.source().begin.line;
      return tl::unexpected(
          at(line, fmt::format("{}{}{} is in {} already", within, within.empty() ? "" : " ",
                               base::in_quotes(key.str()), files_.line_seen_from(line, other))));
    }
  }
  return {};
}

bool Document::has(const std::filesystem::path& file) const {
  return std::ranges::find(places_, place_of(file)) != places_.end();
}

auto Document::include() const -> std::vector<Located<std::string>> {
  std::vector<Located<std::string>> result;
  if (const auto* patterns = root_[include_key].as_array())
    for (const auto& each : *patterns)
      if (const auto* pattern = each.as_string())
        result.push_back({pattern->get(), line_of(each)});
  return result;
}

}  // namespace sekisho::config
