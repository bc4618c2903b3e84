// The System routes that a zone's table has before anybody wrote one.
#pragma once

#include <optional>

#include "control/config/config.hpp"
#include "control/load/error.hpp"
#include "control/policy/next_hops.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

// The error is that [azure.next_hop] does not say what one leads to.
[[nodiscard]] auto add_system_routes(route::RouteTable& table, const config::Config& config,
                                     const config::Zone& zone, NextHops& next_hops, route::Names& names)
    -> std::optional<load::Error>;

// How many of its routes every zone has.
inline constexpr std::size_t routes_of_every_zone = 2;

}  // namespace sekisho::policy
