// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "dataplane/forward/group.hpp"
#include "dataplane/forward/stages.hpp"

namespace sekisho::forward {
namespace {

void look_up(const Zone& zone, const std::uint32_t* destinations, fib::Value* next_hops,
             unsigned count) noexcept {
  if (zone.table != nullptr) [[likely]] {
    zone.table->lookup_bulk(destinations, next_hops, count);
  } else {
    std::fill_n(next_hops, count, fib::no_route);
  }
}

}  // namespace

void route(const Context& context, Burst& burst) noexcept {
  const auto& state = context.state;
  const auto& destinations = burst.headers.destinations;
  if (burst.one_zone) [[likely]] {
    look_up(state.zone(ZoneIndex{burst.zones[0]}), destinations.data(), burst.next_hops.data(), burst.count);
    return;
  }
  for_each_group(burst.zones, burst.count, [&](fib::Value zone, std::span<const std::uint8_t> positions) {
    std::array<std::uint32_t, burst_capacity> addresses;
    std::array<fib::Value, burst_capacity> next_hops;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      addresses[i] = destinations[positions[i]];
    }
    look_up(state.zone(ZoneIndex{zone}), addresses.data(), next_hops.data(),
            static_cast<unsigned>(positions.size()));
    for (std::size_t i = 0; i < positions.size(); ++i) {
      burst.next_hops[positions[i]] = next_hops[i];
    }
  });
}

}  // namespace sekisho::forward
