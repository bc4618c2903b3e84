// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/kernel_routes.hpp"

#include <algorithm>
#include <iterator>

namespace sekisho::sync {
namespace {

using Kind = KernelRoute::Kind;

bool gives_way(const reach::Connected& connected, const policy::ZonePolicy& zone) {
  const auto same =
      std::ranges::equal_range(zone.table.candidates(), connected.prefix, {}, &route::Route::prefix);
  return std::ranges::any_of(same, [&](const route::Route& route) {
    return zone.table.wins(route) && route.origin != route::Origin::system &&
           route.origin != route::Origin::system_none;
  });
}

// The connected route that wins for the address; null: another does.
const reach::Connected* winner(const std::vector<reach::Connected>& in_force, const policy::ZonePolicy& zone,
                               std::uint32_t address) {
  const auto* connected = reach::covering(in_force, address);
  if (connected == nullptr) {
    return nullptr;
  }
  const auto route = zone.table.lookup(address);
  return route && route->prefix.length > connected->prefix.length ? nullptr : connected;
}

}  // namespace

auto kernel_routes(const policy::ZonePolicy& zone, const View& view) -> std::vector<KernelRoute> {
  std::vector<KernelRoute> result;
  for (const auto address : view.unicast) {
    result.push_back({{address, 32}, host_next_hop, Kind::own, {}});
  }
  if (!zone.connected) {
    return result;
  }
  std::vector<reach::Connected> in_force;
  std::ranges::copy_if(view.connected, std::back_inserter(in_force),
                       [&](const auto& connected) { return !gives_way(connected, zone); });
  const auto add_address = [&](std::uint32_t address, std::string_view next_hop, Kind kind,
                               std::string_view port) {
    if (!std::ranges::binary_search(view.unicast, address)) {
      result.push_back({{address, 32}, next_hop, kind, port});
    }
  };
  for (const auto& connected : view.connected) {
    if (std::ranges::find(in_force, connected) == in_force.end()) {
      continue;
    }
    result.push_back({connected.prefix, connected_next_hop, Kind::connected, connected.port});
    for (const auto address : reach::edges(connected.prefix)) {
      const auto* best = winner(in_force, zone, address);
      if (best != nullptr && *best == connected) {
        add_address(address, drop_next_hop, Kind::edge, connected.port);
      }
    }
  }
  for (const auto& host : view.hosts) {
    if (winner(in_force, zone, host.address) != nullptr) {
      add_address(host.address, host.next_hop, Kind::host, host.port);
    }
  }
  std::ranges::sort(result, {}, &KernelRoute::prefix);
  return result;
}

}  // namespace sekisho::sync
