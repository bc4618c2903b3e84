// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/json.hpp"

namespace sekisho::formats {
namespace {

// Takes over what is still used, each once.
template <typename Value>
class Kept {
 public:
  explicit Kept(const std::vector<Value>& all) : all_(all), ids_(all.size()) {}

  auto operator()(std::uint32_t id) -> std::uint32_t {
    auto& known = ids_[id];
    if (!known) {
      known = static_cast<std::uint32_t>(kept_.size());
      kept_.push_back(all_[id]);
    }
    return *known;
  }
  auto take() && -> std::vector<Value> { return std::move(kept_); }

 private:
  const std::vector<Value>& all_;
  std::vector<std::optional<std::uint32_t>> ids_;
  std::vector<Value> kept_;
};

template <typename Routes, typename Hops, typename Labels>
auto of_table(const Routes& routes, std::size_t table, Hops& hops, Labels& labels) -> Routes {
  Routes result;
  std::ranges::copy_if(routes, std::back_inserter(result),
                       [table](const auto& route) { return route.table == table; });
  for (auto& route : result) {
    route.table = 0;
    route.next_hop = hops(route.next_hop);
    route.label = labels(route.label);
  }
  return result;
}

// A finding about another table is none about this one.
auto findings_of(const RouteFile& file, std::size_t table) -> std::vector<base::Finding> {
  std::vector<bool> is_foreign(file.findings.size());
  for (std::size_t other = 0; other < file.tables.size(); ++other)
    for (const auto index : file.tables[other].findings)
      is_foreign[index] = other != table;
  std::vector<base::Finding> result;
  for (std::size_t i = 0; i < file.findings.size(); ++i)
    if (!is_foreign[i])
      result.push_back(file.findings[i]);
  return result;
}

// "rt-web", or where another has that name too, or it has none, its place.
auto word_for(const RouteFile& file, const TableSummary& table) -> std::string {
  const auto of_this_name = std::ranges::count_if(file.tables, [&](const TableSummary& other) {
    return base::equal_without_case(other.name, table.name);
  });
  return table.name.empty() || of_this_name > 1 ? table.place : table.name;
}

auto only(const RouteFile& file, std::size_t table) -> RouteFile {
  Kept hops{file.next_hops};
  Kept labels{file.labels};
  labels(0);  // the one of routes without
  RouteFile result{.file = file.file, .format = file.format};
  result.routes = of_table(file.routes, table, hops, labels);
  result.invalid = of_table(file.invalid, table, hops, labels);
  result.tag_routes = of_table(file.tag_routes, table, hops, labels);
  result.next_hops = std::move(hops).take();
  result.labels = std::move(labels).take();
  result.findings = findings_of(file, table);
  result.tables = {file.tables[table]};
  result.table = file.tables.size() > 1 ? word_for(file, file.tables[table]) : "";
  result.tables.front().findings.clear();
  result.ipv6 = file.tables[table].ipv6;
  return result;
}

auto list(const RouteFile& file) -> std::string {
  constexpr std::size_t most = 20;
  std::vector<std::string> words;
  for (const auto& table : file.tables)
    if (words.size() < most)
      words.push_back(base::in_quotes(word_for(file, table)));
  return fmt::format("{}{}", fmt::join(words, ", "),
                     file.tables.size() > most ? fmt::format(" and {} more", file.tables.size() - most) : "");
}

}  // namespace

auto choose_table(RouteFile file, std::string_view table) -> tl::expected<RouteFile, base::Error> {
  const auto refuse = [&](std::string reason) {
    return tl::unexpected(base::Error{file.file, 0, std::move(reason)});
  };
  if (table.empty() && file.tables.size() < 2)
    return file;
  if (table.empty())
    return refuse(
        fmt::format("holds {} route tables, of which one has to be "
                    "chosen (FILE#TABLE, --table, or "
                    "table = \"..\" beside the file): {}",
                    file.tables.size(), list(file)));
  if (file.tables.empty())
    return refuse(fmt::format("knows of no tables, and so of none that is {}", base::in_quotes(table)));
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < file.tables.size(); ++i) {
    if (file.tables[i].place == table)
      return only(file, i);
    if (base::equal_without_case(file.tables[i].name, table))
      found.push_back(i);
  }
  if (found.empty())
    return refuse(fmt::format("holds no route table {}, but {}", base::in_quotes(table), list(file)));
  if (found.size() > 1)
    return refuse(fmt::format("holds {} route tables {}: choose by what tells them apart, {}", found.size(),
                              base::in_quotes(table), list(file)));
  return only(file, found.front());
}

auto repeated_routes(const RouteFile& file) -> std::vector<base::Finding> {
  std::vector<base::Finding> result;
  std::map<std::pair<std::uint16_t, base::Prefix>, std::uint32_t> labels;
  for (const auto& route : file.routes) {
    if (file.tables.empty() || route.origin != route::Origin::user)
      continue;
    const auto [entry, added] = labels.try_emplace({route.table, route.prefix}, route.label);
    if (added)
      continue;
    const auto named = [&](std::uint32_t label) {
      return file.labels[label].empty() ? std::string{"a route"}
                                        : "route " + base::in_quotes(file.labels[label]);
    };
    result.push_back(
        {base::Severity::warning,
         {file.file, route.line,
          fmt::format("{} to {} repeats {}: of two routes of one prefix in a table the last counts",
                      named(route.label), base::to_string(route.prefix), named(entry->second))}});
    entry->second = route.label;
  }
  std::map<std::pair<std::uint16_t, std::string>, const TagRoute*> tags;
  for (const auto& route : file.tag_routes)
    if (const auto [entry, added] = tags.try_emplace({route.table, lower_case(route.tag)}, &route); !added)
      result.push_back(
          {base::Severity::warning,
           {file.file, 0,
            fmt::format("a route to the service tag {} repeats the one at {}: which of them counts, "
                        "nobody says",
                        route.tag, entry->second->path),
            route.path}});
  return result;
}

auto each_table(RouteFile file) -> std::vector<RouteFile> {
  std::vector<RouteFile> result;
  for (std::size_t i = 0; file.tables.size() > 1 && i < file.tables.size(); ++i)
    result.push_back(only(file, i));
  if (result.empty())
    result.push_back(std::move(file));
  return result;
}

}  // namespace sekisho::formats
