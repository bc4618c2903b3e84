// SPDX-License-Identifier: BSD-3-Clause
// What a route file says, whatever its format, before a configuration tells what its next hops are here: the one result
// type of all readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/route/next_hop_type.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::formats {

// A row of the table in format.hpp.
enum class Format : std::uint8_t {
  mrt,
  route_table,
  arm_template,
  terraform,
  effective_routes,
  effective_csv,
  effective_table,
  service_tags,
  learned_routes,
  hub_routes,
  routing_rules,
  route_table_text,
  aws,
  gcloud,
  ip_route_json,
  ip_route,
  frr,
  bird,
  router_config,
  text
};
[[nodiscard]] std::string_view to_string(Format format) noexcept;
// Whether its tables are Azure's route tables, however they are written.
[[nodiscard]] constexpr bool are_azure_tables(Format format) noexcept {
  return format == Format::route_table || format == Format::arm_template || format == Format::terraform ||
         format == Format::route_table_text;
}
// Whether its routes are what Azure says is in force.
[[nodiscard]] constexpr bool are_effective_routes(Format format) noexcept {
  return format == Format::effective_routes || format == Format::effective_csv ||
         format == Format::effective_table;
}

// REST API, VirtualApplianceEcmp: nextHopIpAddresses.
inline constexpr std::size_t least_ecmp = 2;
inline constexpr std::size_t most_ecmp = 64;

struct NextHop {
  route::NextHopType type = route::NextHopType::named;
  std::string name;  // of type `named`: the configuration's; empty: the file names none
  // VirtualAppliance: one; VirtualApplianceEcmp: 2 to 64, in the file's order; a BGP route's: where it was learned from.
  // Host byte order.
  std::vector<std::uint32_t> addresses;

  [[nodiscard]] bool is_missing() const noexcept { return type == route::NextHopType::named && name.empty(); }
  friend bool operator==(const NextHop&, const NextHop&) = default;
};
// As the text format writes it: "10.0.2.4", "10.0.2.4,10.0.2.5", "VnetLocal", "firewall", "-" where there is none.
[[nodiscard]] std::string to_string(const NextHop& next_hop);
// The inverse of to_string; the error is a reason.
[[nodiscard]] auto parse_next_hop(std::string_view word) -> tl::expected<NextHop, std::string>;

struct FileRoute {
  base::Prefix prefix;
  route::Origin origin = route::Origin::user;
  std::uint16_t table = 0;     // index into RouteFile::tables, where there are any
  std::uint32_t next_hop = 0;  // index into RouteFile::next_hops
  std::uint32_t label = 0;     // index into RouteFile::labels
  unsigned line = 0;           // of a text file; 0 in other formats
};

// A route whose destination is a service tag's name: which prefixes that is, only a service tag file tells.
struct TagRoute {
  std::string tag;
  std::uint32_t next_hop = 0;
  std::uint32_t label = 0;
  std::string path;         // JSONPath of the route
  std::uint16_t table = 0;  // as of FileRoute
};

// A subnet of Azure's that has a route table.
struct AttachedSubnet {
  std::string name;                    // "GatewaySubnet"
  std::optional<base::Prefix> prefix;  // nullopt: the file does not tell
};

// A route table of the file, which may hold several: Azure's, another cloud's, or a router's.
struct TableSummary {
  std::string name;        // may be empty, and two may have the same
  std::string place;       // what tells it from all others: an identifier, or a JSONPath
  std::size_t routes = 0;  // those with a tag included
  std::size_t tags = 0;
  bool takes_bgp = true;                                 // not `disableBgpRoutePropagation`
  bool takes_peerings = true;                            // not `disablePeeringRoute`: "All"
  std::size_t ipv6 = 0;                                  // prefixes left out
  std::vector<std::size_t> findings{};                   // of RouteFile::findings, those about this table
  std::optional<std::vector<AttachedSubnet>> subnets{};  // nullopt: the file does not tell
};

struct RouteFile {
  std::filesystem::path file;
  Format format = Format::text;
  std::vector<NextHop> next_hops;       // distinct
  std::vector<std::string> labels{""};  // of routes: a route's name in Azure, a service tag's; 0: none
  std::vector<FileRoute> routes;        // in the order of the file
  std::vector<FileRoute> invalid;       // that Azure marks so: to be shown, and never followed
  std::vector<TagRoute> tag_routes;
  std::vector<TableSummary> tables;  // empty: the format knows of none
  std::string table;                 // of a file with several: the one that this is
  std::vector<base::Finding> findings;
  std::size_t ipv6 = 0;  // prefixes left out
};

}  // namespace sekisho::formats
