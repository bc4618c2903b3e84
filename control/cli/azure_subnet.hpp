// SPDX-License-Identifier: BSD-3-Clause
// The route table that Azure makes for a subnet, from what stands in files and no configuration: its System routes, what
// gateways tell by BGP, and the subnet's own route tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/options.hpp"
#include "control/formats/route_file.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::cli {

struct SubnetInputs {
  std::vector<base::Prefix> vnet;
  std::vector<base::Prefix> peerings;
  std::vector<std::string> service_endpoints;         // prefixes, and names of service tags
  std::vector<base::Prefix> none;                     // System routes with next hop None
  std::vector<std::filesystem::path> gateway_routes;  // of effective routes: what BGP told
  std::vector<std::filesystem::path> routes;          // of effective routes: User's
  std::filesystem::path service_tags;                 // empty: none
  std::optional<std::uint32_t> peer;                  // of gateway routes in an MRT file with several peers
  formats::Options reading;                           // of files, but for the peer
};

struct Subnet {
  route::RouteTable table;  // a route's next_hop and source are indexes of these:
  std::vector<formats::NextHop> next_hops;
  std::vector<std::string> names;  // of routes; the first is empty
  bool takes_bgp = true;           // no route table says `disableBgpRoutePropagation`
  std::vector<base::Finding> findings;
};

[[nodiscard]] auto read_subnet(const SubnetInputs& inputs)
    -> tl::expected<std::shared_ptr<const Subnet>, std::string>;

}  // namespace sekisho::cli
