// SPDX-License-Identifier: BSD-3-Clause
// The System routes that a zone's table has before anybody wrote one.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/policy/next_hops.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

// Azure's platform (DHCP, DNS, load balancer probes) and its metadata service: each host's own business, never to be
// captured by a default or a half.
inline constexpr std::array host_addresses{
    base::Prefix{168U << 24 | 63U << 16 | 129U << 8 | 16U, 32},
    base::Prefix{169U << 24 | 254U << 16 | 169U << 8 | 254U, 32},
};

// Those of Azure's System routes with next hop None that Azure documents.
inline constexpr std::array private_space{
    base::Prefix{10U << 24, 8}, base::Prefix{172U << 24 | 16U << 16, 12},
    base::Prefix{192U << 24 | 168U << 16, 16}, base::Prefix{100U << 24 | 64U << 16, 10}};

// The error is that [azure.next_hop] does not say what one leads to.
[[nodiscard]] auto add_system_routes(route::RouteTable& table, const config::Config& config,
                                     const config::Zone& zone, NextHops& next_hops, route::Names& names)
    -> std::optional<base::Error>;

// How many of its routes every zone has.
inline constexpr std::size_t routes_of_every_zone = host_addresses.size();

}  // namespace sekisho::policy
