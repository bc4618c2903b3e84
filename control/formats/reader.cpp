// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/formats/azure.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/json.hpp"
#include "control/formats/mrt.hpp"
#include "control/formats/text.hpp"

namespace sekisho::formats {
namespace {

auto parse(std::string_view bytes, const std::filesystem::path& file, const Options& options)
    -> tl::expected<RouteFile, base::Error> {
  if (is_mrt(bytes))
    return parse_mrt(bytes, file, options.peer);
  if (options.peer)
    return tl::unexpected(
        base::Error{file, 0,
                    fmt::format("is not an MRT file: it has no routes of a peer, {} or another",
                                base::address_to_string(*options.peer))});
  if (is_json(bytes))
    return parse_azure(bytes, file);
  return parse_text(bytes, file);
}

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

}  // namespace

auto read_routes(const std::filesystem::path& file, const Options& options)
    -> tl::expected<RouteFile, base::Error> {
  const auto bytes = read_content(file, base::max_bytes, options.progress);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto routes = parse(*bytes, file, options);
  const bool may_be_empty =
      options.empty == Empty::allowed || (options.empty == Empty::table && routes && !routes->tables.empty());
  if (routes && routes->routes.empty() && routes->tag_routes.empty() && !may_be_empty)
    return tl::unexpected(refuse_empty(*routes, !bytes->empty()));
  return routes;
}

}  // namespace sekisho::formats
