// SPDX-License-Identifier: BSD-3-Clause
// Azure's service tags, as the weekly file (ServiceTags_*.json, "Azure IP Ranges and Service Tags"), the REST API and
// `az network list-service-tags` have them: names for sets of prefixes, which a route may have as its destination.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/route_file.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::formats {

struct ServiceTag {
  std::string name;                    // "Storage.WestEurope"
  std::string region;                  // "westeurope"; empty: of the whole cloud
  bool routable = false;               // `networkFeatures` holds "UDR"
  std::vector<base::Prefix> prefixes;  // IPv4
  std::size_t ipv6 = 0;                // prefixes left out
};

struct ServiceTags {
  std::filesystem::path file;
  std::string cloud;  // "Public", "China"
  unsigned change_number = 0;
  std::vector<ServiceTag> tags;  // sorted by name, without regard to case
  std::vector<base::Finding> findings;

  // Without regard to case; null: there is none.
  [[nodiscard]] const ServiceTag* find(std::string_view name) const;
};

[[nodiscard]] auto parse_service_tags(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<ServiceTags, base::Error>;
[[nodiscard]] auto read_service_tags(const std::filesystem::path& file)
    -> tl::expected<ServiceTags, base::Error>;

// What a route to this tag has for an origin: AzureCloud, AzureCloud.region, a tag, a tag's region.
[[nodiscard]] route::Origin origin_of(const ServiceTag& tag) noexcept;

// Puts the prefixes of each route's tag in the place of `tag_routes`: label and next hop are the route's own. An unknown tag
// is an error that names the route and, if one is near, the tag that was meant; a tag that Azure does not route by is a
// finding, and routed ("AzureCloud" lacks UDR, yet Azure's documents route by it).
[[nodiscard]] auto resolve_tags(RouteFile& routes, const ServiceTags& tags)
    -> tl::expected<void, base::Error>;

}  // namespace sekisho::formats
