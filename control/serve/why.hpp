// SPDX-License-Identifier: BSD-3-Clause
// Why a route did or did not win, in the words of an operator. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::serve {

// `covering` is what covers a destination in the zone's table, as RouteTable::covering gives it; the route is its `index`th.
[[nodiscard]] std::string why(const policy::Policy& policy, const policy::ZonePolicy& zone,
                              const std::vector<route::Route>& covering, std::size_t index);

// Of a route that is in no table any more: see ZonePolicy::withdrawn.
inline constexpr const char* why_withdrawn = "taken out by an override";

}  // namespace sekisho::serve
