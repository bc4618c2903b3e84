// SPDX-License-Identifier: BSD-3-Clause
// Questions that several rules ask of a table.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/check/facts.hpp"
#include "control/formats/route_file.hpp"
#include "control/route/internet.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::check {

using route::default_route;
using route::halves;
// What is shorter stands for the Internet and not for a network of somebody's: no one was ever given more than a /8.
inline constexpr std::uint8_t shortest_network = 8;

// A file's routes as a table; its next hops are named as the text format writes them, and each route's source is where the
// file has it. Routes to service tags that were not resolved are left out.
[[nodiscard]] auto table_of(const formats::RouteFile& file) -> Table;

// The winner of exactly this prefix.
[[nodiscard]] auto exact(const Table& table, base::Prefix prefix) -> std::optional<route::Route>;
[[nodiscard]] bool has_both_halves(const Table& table);
// As prefixes of VNets are: neither the Internet nor a whole range of private space.
[[nodiscard]] bool is_network_of_a_vnet(base::Prefix prefix) noexcept;
[[nodiscard]] constexpr bool is_peering(route::NextHopType type) noexcept {
  return type == route::NextHopType::vnet_peering || type == route::NextHopType::vnet_global_peering;
}
// The VNet's own prefixes, and its peers'.
[[nodiscard]] constexpr bool is_of_vnets(route::NextHopType type) noexcept {
  return type == route::NextHopType::vnet_local || is_peering(type);
}
[[nodiscard]] constexpr bool is_appliance(route::NextHopType type) noexcept {
  return type == route::NextHopType::virtual_appliance || type == route::NextHopType::virtual_appliance_ecmp;
}
// Of a file's route.
[[nodiscard]] auto addresses_of(const Table& table, const route::Route& route) -> std::vector<std::uint32_t>;
[[nodiscard]] auto next_hop_of(const Table& table, const route::Route& route) -> const std::string&;

}  // namespace sekisho::check
