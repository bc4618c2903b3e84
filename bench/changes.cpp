// SPDX-License-Identifier: BSD-3-Clause
#include "bench/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string_view>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/compression.hpp"

namespace sekisho::bench {
namespace {

constexpr unsigned next_hops = 16;

auto next_field(std::string_view& line) -> std::string_view {
  const auto field = line.substr(0, line.find('\t'));
  line.remove_prefix(std::min(line.size(), field.size() + 1));
  return field;
}

// Every prefix that was touched, with what the table says of it.
auto restore(const Table& table, const std::vector<fib::Route>& changes) -> std::vector<fib::Route> {
  std::map<base::Prefix, fib::Value> touched;
  for (const auto& change : changes) {
    touched[change.prefix] = fib::no_route;
  }
  for (const auto& route : table.routes) {
    if (const auto found = touched.find(route.prefix); found != touched.end()) {
      found->second = route.value;
    }
  }
  std::vector<fib::Route> restoration;
  for (const auto& [prefix, next_hop] : touched) {
    restoration.push_back({.prefix = prefix, .value = next_hop});
  }
  return restoration;
}

}  // namespace

auto random_changes(const Table& table, std::size_t count, std::size_t batch) -> Changes {
  Changes result;
  std::mt19937_64 random{11};
  std::vector<bool> present(table.routes.size(), true);
  while (result.changes.size() < count) {
    const std::size_t at = random() % table.routes.size();
    const bool withdraw = present[at] && random() % 3 == 0;
    present[at] = !withdraw;
    result.changes.push_back(
        {.prefix = table.routes[at].prefix,
         .value = withdraw ? fib::no_route : static_cast<fib::Value>(1 + random() % next_hops)});
    if (result.changes.size() % batch == 0 || result.changes.size() == count) {
      result.batches.push_back(result.changes.size());
    }
  }
  result.restoration = restore(table, result.changes);
  return result;
}

auto read_trace(const std::filesystem::path& file, const Table& table) -> tl::expected<Changes, std::string> {
  auto bytes = base::read_file(file);
  if (bytes) {
    bytes = formats::inflate(*bytes, file);
  }
  if (!bytes) {
    return tl::unexpected(bytes.error().to_string());
  }
  Changes result;
  std::string_view text{*bytes};
  std::string_view last_time;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto time = next_field(line);
    const bool withdraw = next_field(line) == "W";
    const auto prefix = base::parse_prefix(next_field(line));
    if (!prefix) {
      return tl::unexpected(fmt::format("{}: {}", file.string(), prefix.error()));
    }
    const auto hash = std::hash<std::string_view>{}(next_field(line));
    if (time != last_time && !result.changes.empty()) {
      result.batches.push_back(result.changes.size());
    }
    last_time = time;
    result.changes.push_back(
        {.prefix = *prefix,
         .value = withdraw ? fib::no_route : static_cast<fib::Value>(1 + hash % next_hops)});
  }
  result.batches.push_back(result.changes.size());
  result.restoration = restore(table, result.changes);
  return result;
}

}  // namespace sekisho::bench
