// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes Azure's JSON holds: a table whose every route is well-formed, or a refusal with a reason. The service tags
// that resolve tag routes are the input's own and, for tables, a few that stand here.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/format.hpp"
#include "control/formats/service_tags.hpp"

namespace {

namespace base = sekisho::base;
namespace formats = sekisho::formats;
namespace route = sekisho::route;

void check(bool holds) {
  if (!holds)
    std::abort();
}

bool is_well_formed(base::Prefix prefix) {
  return prefix.length <= 32 && (prefix.address & ~prefix.mask()) == 0;
}

void check_next_hop(const formats::NextHop& next_hop) {
  using route::NextHopType;
  check(next_hop.name.empty() && next_hop.addresses.size() <= formats::most_ecmp);
  check(next_hop.type != NextHopType::virtual_appliance || next_hop.addresses.size() == 1);
  check(next_hop.type != NextHopType::virtual_appliance_ecmp ||
        next_hop.addresses.size() >= formats::least_ecmp);
}

void check(const formats::RouteFile& file) {
  for (const auto& route : file.routes) {
    check(is_well_formed(route.prefix) && route.line == 0);
    check(route.next_hop < file.next_hops.size() && route.label < file.labels.size());
  }
  for (const auto& route : file.tag_routes) {
    check(!route.tag.empty() && route.path.starts_with("$"));
    check(route.next_hop < file.next_hops.size() && route.label < file.labels.size());
  }
  std::ranges::for_each(file.next_hops, check_next_hop);
  for (const auto& finding : file.findings)
    check(!finding.where.reason.empty() && finding.where.path.starts_with("$"));
}

// Holds until the tags are resolved.
void check_tables(const formats::RouteFile& file) {
  if (!formats::are_azure_tables(file.format))
    return;
  std::size_t routes = 0;
  std::size_t tags = 0;
  for (const auto& table : file.tables) {
    routes += table.routes;
    tags += table.tags;
  }
  check(routes == file.routes.size() + file.tag_routes.size() && tags == file.tag_routes.size());
}

void check(const formats::ServiceTags& tags) {
  for (const auto& tag : tags.tags) {
    check(tags.find(tag.name) == &tag);
    check(std::ranges::all_of(tag.prefixes, is_well_formed));
  }
}

// All or nothing.
void check_resolution(const formats::RouteFile& file, const formats::ServiceTags& tags) {
  auto resolved = file;
  std::size_t added = 0;
  bool all_known = true;
  for (const auto& route : file.tag_routes) {
    const auto* tag = tags.find(route.tag);
    all_known = all_known && tag != nullptr;
    added += tag == nullptr ? 0 : tag->prefixes.size();
  }
  const auto result = formats::resolve_tags(resolved, tags);
  check(result.has_value() == all_known);
  check(resolved.routes.size() == file.routes.size() + (all_known ? added : 0));
  check(resolved.tag_routes.size() == (all_known ? 0 : file.tag_routes.size()));
  check(resolved);
}

void check(const base::Error& error) {
  check(!error.reason.empty() && error.to_string().starts_with("fuzz.json"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto known = formats::parse_service_tags(
      R"({"values": [{"name": "AzureCloud", "properties": {"addressPrefixes": ["10.0.0.0/8", "::/0"]}},
                     {"name": "AzureMonitor", "properties": {"addressPrefixes": ["10.1.0.0/16", "10.2.0.0/16"]}},
                     {"name": "WindowsVirtualDesktop", "properties": {"addressPrefixes": []}}]})",
      "known.json");
  check(known.has_value());
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto routes = formats::parse_document(text, "fuzz.json");
  const auto tags = formats::parse_service_tags(text, "fuzz.json");
  // Other formats that are JSON: formats_fuzz.
  if (routes && !formats::are_azure_tables(routes->format) &&
      routes->format != formats::Format::effective_routes && routes->format != formats::Format::service_tags)
    return 0;
  if (!routes)
    check(routes.error());
  else
    check(*routes);
  if (!tags)
    check(tags.error());
  else
    check(*tags);
  if (routes) {
    check_tables(*routes);
    check_resolution(*routes, *known);
  }
  return 0;
}
