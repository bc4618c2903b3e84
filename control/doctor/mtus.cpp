// SPDX-License-Identifier: BSD-3-Clause
// The longest packets that AF_XDP ports take, against the MTU of their interfaces.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/af_xdp_mtu.hpp"
#include "control/doctor/checks.hpp"

namespace sekisho::doctor {
namespace {

struct Driver {
  std::string_view name;
  std::uint32_t most = base::most_af_xdp_mtu;
};

// What drivers take with XDP on pages of 4 KB, where that is less than an AF_XDP buffer of a page: as Linux 6.1 has them, or the named
// one where that is the first that matters. All refuse a program that cannot follow a frame into a second buffer, as DPDK's sockets
// cannot, on an interface whose MTU is larger.
constexpr auto drivers = std::to_array<Driver>({
    {"gve", 2'032},      // 6.4, GQI-QPL: verify_xdp_configuration(), 2,048 less 16
    {"i40e", 3'046},     // i40e_max_xdp_frame_size(): 3,072 less I40E_PACKET_HDR_PAD
    {"ice", 3'046},      // ice_max_xdp_frame_size(): 3,072 less ICE_ETH_PKT_HDR_PAD
    {"igb", 3'046},      // igb_xdp_setup(): IGB_RXBUFFER_3072 less IGB_ETH_PKT_HDR_PAD
    {"igc", 1'500},      // igc_xdp_set_prog(): ETH_DATA_LEN
    {"ixgbe", 3'050},    // ixgbe_max_xdp_frame_size(): 3,072 less 22
    {"ixgbevf", 3'050},  // the same
    {"vmxnet3", 3'494},  // 6.6: VMXNET3_XDP_MAX_MTU
    // These take as much,
    {"ena"},        // ENA_XDP_MAX_MTU
    {"mlx5_core"},  // mlx5e_xdp_max_mtu()
    // and these a few bytes more.
    {"hv_netvsc"},   // netvsc_xdp_set()
    {"mana"},        // 6.4: MANA_XDP_MTU_MAX; before it has an MTU of 1,500 in any case
    {"virtio_net"},  // virtnet_xdp_set()
    {"veth"},        // veth_xdp_set(), of its peer
});

// None: it is not known here.
std::optional<std::uint32_t> most_of(std::string_view driver) {
  const auto* const found = std::ranges::find(drivers, driver, &Driver::name);
  return found == drivers.end() ? std::nullopt : std::optional{found->most};
}

Finding judge(const System& system, const Port& port) {
  const std::string name = "mtu";
  const auto& interface = *port.interface;
  const auto known = most_of(interface.driver);
  const auto most = known.value_or(base::most_af_xdp_mtu);
  // Control gives the interface what is configured.
  const std::uint32_t mtu = port.mtu != 0 ? port.mtu : interface.mtu;
  const auto what = fmt::format("port {}: {} ({}) {} an MTU of {}", port.name, interface.name,
                                interface.driver, port.mtu != 0 ? "is given" : "has", mtu);
  const auto lower = [&](std::uint32_t to) {
    return port.mtu != 0 ? fmt::format("mtu = {} in [port.{}]", to, port.name)
                         : fmt::format("ip link set {} mtu {}", interface.name, to);
  };
  if (mtu > most) {
    return bad(name,
               fmt::format(
                   "{}, and with AF_XDP takes {} at most: longer packets are lost, or its driver refuses XDP",
                   what, most),
               fmt::format("{}; for longer packets give the NIC to DPDK: sekisho-bind-nic {}", lower(most),
                           interface.name));
  }
  // A dataplane that is there has said itself what its buffers take (check_state()).
  const bool starts_later = !system.control || !system.control->has_dataplane;
  if (starts_later && mtu > system.packet_mtu) {
    return warning(name,
                   fmt::format("{}, and packet buffers have room for {}: what is longer is dropped", what,
                               system.packet_mtu),
                   fmt::format("SEKISHO_DATAPLANE_OPTIONS=\"--mtu {}\" in dataplane.env, or {}", mtu,
                               lower(system.packet_mtu)));
  }
  return ok(name, known ? fmt::format("{}, of at most {} with AF_XDP", what, most) : what);
}

}  // namespace

Findings check_mtus(const System& system) {
  const bool any = std::ranges::any_of(system.ports, [](const Port& port) {
    return port.af_xdp && port.interface && port.interface->present;
  });
  // Of a buffer that is larger than a page AF_XDP makes no frame: such a dataplane opens no port of it.
  if (any && system.packet_mtu > base::most_af_xdp_mtu) {
    return {bad("mtu",
                fmt::format("dataplane.env has --mtu {}: packet buffers are larger than the page that AF_XDP "
                            "allows, and no AF_XDP port opens",
                            system.packet_mtu),
                fmt::format("SEKISHO_DATAPLANE_OPTIONS=\"--mtu {}\" or less in dataplane.env, and restart "
                            "sekisho-dataplane",
                            base::most_af_xdp_mtu))};
  }
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.af_xdp && port.interface && port.interface->present) {
      findings.push_back(judge(system, port));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
