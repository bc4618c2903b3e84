// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/route_files.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/load_findings.hpp"
#include "control/cli/load_progress.hpp"
#include "control/formats/reader.hpp"
#include "control/route/route_table.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {

auto RouteFiles::read(const std::vector<std::string>& files, const std::string& next_hop,
                      const formats::Options& options)
    -> tl::expected<std::unique_ptr<RouteFiles>, std::string> {
  std::unique_ptr<RouteFiles> result{new RouteFiles};
  std::unordered_map<std::string, fib::Value> indexes;
  route::RouteTable table;
  for (const auto& file : files) {
    LoadProgress progress{file};
    auto reading = options;
    reading.progress = progress.callback();
    const auto path = file_of(file, reading);
    if (!path) {
      return tl::unexpected{path.error().to_string()};
    }
    const auto read = formats::read_routes(*path, reading);
    if (!read) {
      return tl::unexpected{read.error().to_string()};
    }
    if (!read->tag_routes.empty()) {
      return tl::unexpected{fmt::format(
          "{}: {}: a route to the service tag {}: `sekisho routes convert --tags` puts its prefixes there",
          file, read->tag_routes.front().path, read->tag_routes.front().tag)};
    }
    tell_findings(findings_of(*read));
    std::vector<fib::Value> index_of;  // by the file's own numbering
    for (const auto& written : read->next_hops) {
      const auto name = written.is_missing() && !next_hop.empty() ? next_hop : formats::to_string(written);
      const auto [known, added] =
          indexes.try_emplace(name, static_cast<fib::Value>(result->next_hops_.size()));
      if (added) {
        if (result->next_hops_.size() > fib::max_value) {
          return tl::unexpected{fmt::format("{}: more than {} different next hops", file, fib::max_value)};
        }
        result->next_hops_.push_back(name);
      }
      index_of.push_back(known->second);
    }
    for (const auto& route : read->routes) {
      table.add({.prefix = route.prefix, .origin = route.origin, .next_hop = index_of[route.next_hop]});
    }
  }
  table.finish();
  std::vector<fib::Route> routes;
  for (const auto& winner : table.winners()) {
    routes.push_back({winner.prefix, static_cast<fib::Value>(winner.next_hop)});
  }
  auto fib = fib::Fib::create(result->qsbr_);
  if (!fib) {
    return tl::unexpected{fib.error()};
  }
  result->fib_ = std::move(*fib);
  if (const auto applied = result->fib_->apply(routes); !applied) {
    return tl::unexpected{applied.error()};
  }
  return result;
}

auto RouteFiles::lookup(const std::vector<std::uint32_t>& addresses) const -> std::vector<Match> {
  std::vector<fib::Value> next_hops(addresses.size());
  fib_->lookup_bulk(addresses.data(), next_hops.data(), static_cast<unsigned>(addresses.size()));
  std::vector<Match> result;
  result.reserve(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (const auto reason = serve::reason_before_tables(addresses[i]); !reason.empty()) {
      result.push_back({.prefix = "", .next_hop = "", .before_tables = reason});
      continue;
    }
    // The next hop is the table's answer; which prefix gave it only the shadow knows.
    const auto route = fib_->longest_match(addresses[i]);
    result.push_back({route ? base::to_string(route->prefix) : "", next_hops_[next_hops[i]]});
  }
  return result;
}

}  // namespace sekisho::cli
