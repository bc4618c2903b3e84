// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/edited_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/formats/text.hpp"

namespace sekisho::cli {
namespace {

// Of a prefix that is wanted, by what the file has.
struct Standing {
  unsigned last_line = 0;  // of two lines the last counts
  bool is_right = false;   // it stands once, and leads where it is to lead
  unsigned count = 0;
};

std::string route_line(base::Prefix prefix, std::string_view next_hop) {
  return fmt::format("{} {}", base::to_string(prefix), next_hop);
}

}  // namespace

auto with_routes(std::string_view text, const WantedRoutes& wanted, std::string_view mark,
                 const std::filesystem::path& file) -> tl::expected<std::string, std::string> {
  const auto parsed = formats::parse_text(text, file);
  if (!parsed) {
    return tl::unexpected{parsed.error().to_string()};
  }
  std::map<unsigned, base::Prefix> lines;  // that are spoken of
  std::map<base::Prefix, Standing> standing;
  for (const auto& route : parsed->routes) {
    const auto found = wanted.find(route.prefix);
    if (found == wanted.end()) {
      continue;
    }
    lines[route.line] = route.prefix;
    auto& one = standing[route.prefix];
    one.last_line = route.line;
    one.is_right = ++one.count == 1 && found->second == formats::to_string(parsed->next_hops[route.next_hop]);
  }
  const std::string_view end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  std::string result;
  unsigned number = 0;
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto line = text.substr(0, length);
    text.remove_prefix(length);
    const auto spoken_of = lines.find(++number);
    if (spoken_of == lines.end() || standing[spoken_of->second].is_right) {
      result += line;
      continue;
    }
    const auto& next_hop = wanted.at(spoken_of->second);
    const bool is_replaced = next_hop && number == standing[spoken_of->second].last_line;
    fmt::format_to(std::back_inserter(result), "# {}, {} the next line{}#{}", mark,
                   is_replaced ? "instead of" : "without", end, line);
    if (!line.ends_with('\n')) {
      result += end;
    }
    if (is_replaced) {
      result.append(route_line(spoken_of->second, *next_hop)).append(end);
    }
  }
  bool is_first = true;
  for (const auto& [prefix, next_hop] : wanted) {
    if (!next_hop || standing.contains(prefix)) {
      continue;
    }
    if (std::exchange(is_first, false)) {
      result += !result.empty() && !result.ends_with('\n') ? end : "";
      result.append("# ").append(mark).append(end);
    }
    result.append(route_line(prefix, *next_hop)).append(end);
  }
  return result;
}

}  // namespace sekisho::cli
