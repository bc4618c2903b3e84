// SPDX-License-Identifier: BSD-3-Clause
// What Azure calls the kinds of a route's next hop (REST API, RouteNextHopType and its output-only relatives in
// effective routes), and the one kind that is this appliance's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sekisho::route {

enum class NextHopType : std::uint8_t {
  named,  // not Azure's: a next hop of this appliance's configuration
  virtual_appliance,
  virtual_appliance_ecmp,
  virtual_network_gateway,
  vnet_local,
  internet,
  none,
  // Azure tells of these in effective routes; nobody can write them in a route table.
  vnet_peering,
  vnet_global_peering,
  virtual_network_service_endpoint,
  interface_endpoint,
  connected_group,
  nat_gateway,
};

// As Azure spells it ("VnetLocal"); "" for `named`.
[[nodiscard]] std::string_view to_string(NextHopType type) noexcept;
// Without regard to case: Azure's own tools spell VnetLocal and VNetLocal.
[[nodiscard]] auto parse_next_hop_type(std::string_view word) noexcept -> std::optional<NextHopType>;
[[nodiscard]] bool is_output_only(NextHopType type) noexcept;

}  // namespace sekisho::route
