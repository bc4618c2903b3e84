// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/text.hpp"
#include "control/formats/service_tags.hpp"

namespace sekisho::formats {
namespace {

// Azure takes 25 tags a table, and the largest tag has about ten thousand prefixes.
constexpr std::size_t max_routes = std::size_t{1} << 24;

auto refuse(const RouteFile& routes, const TagRoute& route, std::string reason) {
  return tl::unexpected(base::Error{routes.file, 0, std::move(reason), route.path});
}

auto route_named(const RouteFile& routes, const TagRoute& route) -> std::string {
  const auto& label = routes.labels[route.label];
  return label.empty() ? "a route" : fmt::format("route {}", base::in_quotes(label));
}

auto unknown_tag(const RouteFile& routes, const TagRoute& route, const ServiceTags& tags) {
  std::vector<std::string_view> names;
  for (const auto& tag : tags.tags)
    names.emplace_back(tag.name);
  return refuse(
      routes, route,
      fmt::format("{} goes to {}, which is not a service tag in {}{}", route_named(routes, route),
                  base::in_quotes(route.tag), tags.file.string(), base::suggestion(route.tag, names)));
}

auto oddity(const ServiceTag& tag) -> std::string {
  if (tag.prefixes.empty())
    return fmt::format("the service tag {} has no IPv4 prefix: this routes nothing",
                       base::in_quotes(tag.name));
  if (!tag.routable)
    return fmt::format("the networkFeatures of the service tag {} do not hold UDR; it is routed all the same",
                       base::in_quotes(tag.name));
  return {};
}

}  // namespace

auto resolve_tags(RouteFile& routes, const ServiceTags& tags) -> tl::expected<void, base::Error> {
  std::vector<const ServiceTag*> found;
  std::size_t count = routes.routes.size();
  for (const auto& route : routes.tag_routes) {
    const auto* tag = tags.find(route.tag);
    if (tag == nullptr)
      return unknown_tag(routes, route, tags);
    count += tag->prefixes.size();
    if (count > max_routes)
      return refuse(routes, route,
                    fmt::format("service tags make more than {} routes of this file", max_routes));
    found.push_back(tag);
  }

  routes.routes.reserve(count);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& route = routes.tag_routes[i];
    const auto& tag = *found[i];
    for (const auto prefix : tag.prefixes)
      routes.routes.push_back(
          {.prefix = prefix, .origin = origin_of(tag), .next_hop = route.next_hop, .label = route.label});
    routes.ipv6 += tag.ipv6;
    if (auto reason = oddity(tag); !reason.empty())
      routes.findings.push_back({base::Severity::warning, {routes.file, 0, std::move(reason), route.path}});
  }
  routes.tag_routes.clear();
  return {};
}

}  // namespace sekisho::formats
