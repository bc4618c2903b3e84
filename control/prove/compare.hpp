// SPDX-License-Identifier: BSD-3-Clause
// Which packets go elsewhere: two tables, or two divisions of sources among zones, compared over all addresses. Pure.
//
// Next hops and zones are compared by name. What `None` drops and what no route covers is dropped alike. What no table is asked
// about (scope.hpp) goes nowhere in either. Time is linear in routes and sources.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/route/address_set.hpp"
#include "control/route/difference.hpp"

namespace sekisho::prove {

struct Moved {
  route::AddressSet::Range range;
  std::string_view before;  // a next hop, or "dropped"; of sources a zone, empty: none
  std::string_view after;
};
using VisitMoved = std::function<void(const Moved&)>;

// Destinations in order, ranges as long as they can be; how many addresses they are.
auto moved_destinations(route::Side before, route::Side after, const VisitMoved& visit) -> std::uint64_t;

// The sources of each zone, by its name.
struct ZoneSources {
  std::string name;
  std::vector<base::Prefix> sources;
};
[[nodiscard]] auto zone_sources(const policy::Policy& policy) -> std::vector<ZoneSources>;
// The same for sources that belong to another zone.
auto moved_sources(const std::vector<ZoneSources>& before, const std::vector<ZoneSources>& after,
                   const VisitMoved& visit) -> std::uint64_t;

}  // namespace sekisho::prove
