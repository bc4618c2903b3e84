// SPDX-License-Identifier: BSD-3-Clause
// The longest packets that AF_XDP ports take, against the MTU of their interfaces.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/base/af_xdp_mtu.hpp"
#include "control/doctor/checks.hpp"

namespace sekisho::doctor {
namespace {

// Drivers that take less with XDP than an AF_XDP buffer of a page does, as Linux 6.1 has them, with pages of 4 KB. Of the others ena and
// mlx5_core take as much (ENA_XDP_MAX_MTU, mlx5e_xdp_max_mtu()); hv_netvsc (netvsc_xdp_set()), mana (MANA_XDP_MTU_MAX), virtio_net
// (virtnet_xdp_set()) and veth, of its peer (veth_xdp_set()), a few bytes more. All refuse a program that cannot follow a frame into a
// second buffer, as DPDK's sockets cannot, on an interface whose MTU is larger.
constexpr auto drivers = std::to_array<std::pair<std::string_view, std::uint16_t>>({
    {"gve", 2'032},    // verify_xdp_configuration(): 2,048 less Ethernet's header and two bytes
    {"i40e", 3'046},   // i40e_max_xdp_frame_size(): 3,072 less I40E_PACKET_HDR_PAD
    {"ice", 3'046},    // ice_max_xdp_frame_size(): 3,072 less ICE_ETH_PKT_HDR_PAD
    {"ixgbe", 3'050},  // ixgbe_max_xdp_frame_size(): 3,072 less Ethernet's header, a VLAN tag and a checksum
    {"ixgbevf", 3'050},  // the same
    {"vmxnet3", 3'494},  // VMXNET3_XDP_MAX_MTU
});

std::uint16_t most_of(std::string_view driver) {
  const auto* const found = std::ranges::find(drivers, driver, &decltype(drivers)::value_type::first);
  return found == drivers.end() ? base::most_af_xdp_mtu : std::min(found->second, base::most_af_xdp_mtu);
}

Finding judge(const System& system, const Port& port) {
  const std::string name = "mtu";
  const auto& interface = *port.interface;
  const auto most = most_of(interface.driver);
  const auto what = fmt::format("port {}: {} ({}) has an MTU of {}", port.name, interface.name,
                                interface.driver, interface.mtu);
  if (interface.mtu > most) {
    return bad(
        name,
        fmt::format(
            "{}, and with AF_XDP takes {} at most: longer packets are lost, or its driver refuses XDP", what,
            most),
        fmt::format("ip link set {} mtu {}; for longer packets give the NIC to DPDK: sekisho-bind-nic {}",
                    interface.name, most, interface.name));
  }
  // A dataplane that is there has said itself what its buffers take (check_state()).
  const bool starts_later = !system.control || !system.control->has_dataplane;
  if (starts_later && interface.mtu > system.packet_mtu) {
    return warning(
        name,
        fmt::format("{}, and packet buffers have room for {}: what is longer is dropped", what,
                    system.packet_mtu),
        fmt::format("SEKISHO_DATAPLANE_OPTIONS=\"--mtu {}\" in dataplane.env, or ip link set {} mtu {}",
                    interface.mtu, interface.name, system.packet_mtu));
  }
  return ok(name, fmt::format("{}, of at most {} with AF_XDP", what, most));
}

}  // namespace

Findings check_mtus(const System& system) {
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.af_xdp && port.interface && port.interface->present) {
      findings.push_back(judge(system, port));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
