// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "control/formats/compression.hpp"
#include "control/formats/format.hpp"
#include "control/formats/tables.hpp"

namespace sekisho::formats {
namespace {

// Of one without routes: what it has instead.
auto describe_empty(const RouteFile& file, bool has_bytes) -> std::string {
  if (file.ipv6 != 0)
    return fmt::format(" (but {} IPv6 prefix{})", file.ipv6, file.ipv6 == 1 ? "" : "es");
  if (!file.findings.empty()) {
    const auto& where = file.findings.front().where;
    return fmt::format(" ({}{}{})", where.path, where.path.empty() ? "" : ": ", where.reason);
  }
  if (!has_bytes)
    return " and nothing else: a command that fails leaves such a file";
  return file.format == Format::text ? ", only comments and blank lines" : "";
}

auto refuse_empty(const RouteFile& file, bool has_bytes) -> base::Error {
  // What was left out because it cannot be known is the better reason.
  const auto left_out = std::ranges::find(file.findings, base::Severity::error, &base::Finding::severity);
  if (left_out != file.findings.end())
    return left_out->where;
  return {file.file, 0,
          fmt::format("holds no route{}; if that is meant, say so: allow_empty = true, or --allow-empty",
                      describe_empty(file, has_bytes))};
}

auto refuse_if_empty(const RouteFile& file, Empty empty, bool has_bytes) -> std::optional<base::Error> {
  const bool may_be = empty == Empty::allowed || (empty == Empty::table && !file.tables.empty());
  if (may_be || !file.routes.empty() || !file.tag_routes.empty())
    return std::nullopt;
  return refuse_empty(file, has_bytes);
}

// Who goes on without it asks a table that is not the one that will be.
auto refuse_if_left_out(const RouteFile& file, bool refuse) -> std::optional<base::Error> {
  const auto is_error = [](const auto& finding) { return finding.severity == base::Severity::error; };
  const auto first = std::ranges::find_if(file.findings, is_error);
  if (!refuse || first == file.findings.end())
    return std::nullopt;
  auto refused = first->where;
  const auto more = std::ranges::count_if(file.findings, is_error) - 1;
  refused.reason +=
      fmt::format("{}; --allow-left-out goes on without {}",
                  more == 0 ? "" : fmt::format(" (and {} more like it)", more), more == 0 ? "it" : "them");
  return refused;
}

}  // namespace

auto read_tables(const std::filesystem::path& file, const Options& options)
    -> tl::expected<std::vector<RouteFile>, base::Error> {
  const auto bytes = read_content(file, base::max_bytes, options.progress);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto routes = parse_routes(*bytes, file, options);
  if (routes && !options.table.empty())
    routes = choose_table(std::move(*routes), options.table);
  if (!routes)
    return tl::unexpected(std::move(routes.error()));
  if (auto refused = refuse_if_empty(*routes, options.empty, !bytes->empty()))
    return tl::unexpected(std::move(*refused));
  return each_table(std::move(*routes));
}

auto read_routes(const std::filesystem::path& file, const Options& options)
    -> tl::expected<RouteFile, base::Error> {
  const auto bytes = read_content(file, base::max_bytes, options.progress);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto routes = parse_routes(*bytes, file, options).and_then([&](RouteFile all) {
    return choose_table(std::move(all), options.table);
  });
  if (!routes)
    return routes;
  if (auto refused = refuse_if_left_out(*routes, options.refuse_left_out))
    return tl::unexpected(std::move(*refused));
  if (auto refused = refuse_if_empty(*routes, options.empty, !bytes->empty()))
    return tl::unexpected(std::move(*refused));
  return routes;
}

}  // namespace sekisho::formats
