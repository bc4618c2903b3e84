// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {
namespace {

constexpr std::string_view nic_check = "nic";

// DPDK shares these devices with the kernel's driver.
constexpr auto shared_drivers = std::to_array<std::string_view>({"mlx4_core", "mlx5_core", "mana"});
constexpr auto uio_drivers = std::to_array<std::string_view>({"uio_pci_generic", "igb_uio"});

Finding judge_nic(const System& system, const Port& port) {
  const auto& nic = *port.nic;
  const std::string name{nic_check};
  const auto what = fmt::format("port {}: {}", port.name, port.device);
  const auto bind = fmt::format("sekisho-bind-nic {}", port.device);
  const auto is_one_of = [&](const auto& drivers) {
    return std::ranges::find(drivers, nic.driver) != drivers.end();
  };
  if (!nic.present) {
    return bad(name, fmt::format("{} is not there", what), "sekisho-bind-nic --status");
  }
  if (nic.driver.empty()) {
    return bad(name, fmt::format("{} is bound to no driver", what), bind);
  }
  if (is_one_of(uio_drivers)) {
    if (system.locked_down) {
      return bad(
          name,
          fmt::format("{} is bound to {}, and this kernel is locked down: it lets no program reach a device",
                      what, nic.driver),
          "turn Secure Boot off, or use \"af_xdp:NETDEV\"");
    }
    if (nic.translated) {
      return bad(name,
                 fmt::format("{} is bound to {} behind an IOMMU, which stops what it reads and writes", what,
                             nic.driver),
                 bind + " --driver vfio-pci");
    }
    return ok(name, fmt::format("{} is bound to {}", what, nic.driver));
  }
  if (nic.driver == "vfio-pci" || nic.driver == "uio_hv_generic" || is_one_of(shared_drivers)) {
    return ok(name, fmt::format("{} is bound to {}", what, nic.driver));
  }
  return bad(name,
             fmt::format("{} is bound to {}{}, which is the kernel's", what, nic.driver,
                         nic.interface.empty() ? "" : " (" + nic.interface + ")"),
             bind);
}

}  // namespace

Findings check_nics(const System& system) {
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.nic) {
      findings.push_back(judge_nic(system, port));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
