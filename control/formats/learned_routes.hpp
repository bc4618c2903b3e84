// SPDX-License-Identifier: BSD-3-Clause
// What gateways, Route Server and virtual hubs of Azure say that BGP told them.
#pragma once

#include <cstddef>
#include <string_view>

#include "control/formats/format.hpp"

namespace sekisho::formats {

// How many are in "65010-65020", "65515 65001 ?".
[[nodiscard]] auto length_of_as_path(std::string_view as_path) -> std::size_t;

// `az network vnet-gateway list-learned-routes`, `list-advertised-routes`, `az network routeserver peering list-learned-
// routes`, `az network express-route list-route-tables`. Of a network's paths those are in force together that nothing of
// weight, local preference, AS path and eBGP before iBGP tells apart. One without a next hop's address is the gateway's own.
[[nodiscard]] bool holds_learned_routes(const Content& content);
[[nodiscard]] auto read_learned_routes(const Content& content, const Options& options) -> Reading;

// `az network vhub get-effective-routes`, `az network vhub route-table show`, `az network vhub route list` (a hub's classic
// table). A next hop that is a resource is one of that resource's name. Of a prefix that is there twice the shorter AS path
// is in force, and of equal ones the first.
[[nodiscard]] bool holds_hub_routes(const Content& content);
[[nodiscard]] auto read_hub_routes(const Content& content, const Options& options) -> Reading;

// `az network manager routing-config rule-collection rule list`: rules of Virtual Network Manager, one table.
[[nodiscard]] bool holds_routing_rules(const Content& content);
[[nodiscard]] auto read_routing_rules(const Content& content, const Options& options) -> Reading;

}  // namespace sekisho::formats
