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

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"
#include "control/route/route_table.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::cli {

struct SubnetInputs {
  std::vector<fib::Prefix> vnet;
  std::vector<fib::Prefix> peerings;
  std::vector<std::string> service_endpoints;         // prefixes, and names of service tags
  std::vector<fib::Prefix> none;                      // System routes with next hop None
  std::vector<std::filesystem::path> gateway_routes;  // of effective routes: what BGP told
  std::vector<std::filesystem::path> routes;          // of effective routes: User's
  std::filesystem::path service_tags;                 // empty: none
  std::optional<std::uint32_t> peer;                  // of gateway routes in an MRT file with several peers
  bool allow_empty = false;                           // files without routes are meant
};

struct Subnet {
  route::RouteTable table;  // a route's next_hop and source are indexes of these:
  std::vector<load::NextHop> next_hops;
  std::vector<std::string> names;  // of routes; the first is empty
  bool takes_bgp = true;           // no route table says `disableBgpRoutePropagation`
  std::vector<load::Finding> findings;
};

[[nodiscard]] auto read_subnet(const SubnetInputs& inputs)
    -> tl::expected<std::shared_ptr<const Subnet>, std::string>;

}  // namespace sekisho::cli
