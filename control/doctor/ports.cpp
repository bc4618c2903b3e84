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

// VFIO needs one; without it a NIC, and the program that has it, can write to any memory.
Findings check_iommu(const System& system) {
  const std::string name = "iommu";
  Findings findings;
  bool behind = false;
  bool pci = false;
  for (const auto& port : system.ports) {
    if (!port.nic || !port.nic->present || port.nic->driver == "uio_hv_generic") {
      continue;
    }
    pci = true;
    behind = behind || port.nic->iommu;
    if (port.nic->driver == "vfio-pci" && !port.nic->iommu) {
      findings.push_back(
          system.no_iommu_mode
              ? warning(
                    name,
                    fmt::format("port {}: vfio-pci without an IOMMU, so that the NIC may write to any memory",
                                port.name),
                    "enable the IOMMU, where the machine has one: intel_iommu=on on the kernel's command "
                    "line")
              : bad(name,
                    fmt::format("port {}: vfio-pci cannot be used, as there is no IOMMU for {}", port.name,
                                port.device),
                    fmt::format("sekisho-bind-nic {}", port.device)));
    }
  }
  if (findings.empty()) {
    findings.push_back(ok(name, !pci     ? "no port needs an IOMMU"
                                : behind ? "the ports' NICs are behind an IOMMU"
                                         : "there is no IOMMU, and no port needs one"));
  }
  return findings;
}

namespace {

// Linux, include/uapi/linux/netdev.h
constexpr std::uint64_t native = 1;     // NETDEV_XDP_ACT_BASIC
constexpr std::uint64_t zero_copy = 8;  // NETDEV_XDP_ACT_XSK_ZEROCOPY

constexpr std::pair oldest_kernel{5U, 3U};        // a fallback in XSKMAP redirects
constexpr std::pair managed_neighbours{5U, 16U};  // NTF_EXT_MANAGED

// The kernel hands a tag to XDP only with Linux 6.8 and to programs that are bound to their device, as DPDK binds none.
std::string_view tags_beside(const Interface& interface) {
  return interface.driver == "veth" ? "; VLAN tags that its other end hands over beside frames are not seen: "
                                      "ethtool -K PEER txvlan off tx-vlan-stag-hw-insert off"
                                    : "";
}

Finding judge_xdp(const Port& port) {
  const std::string name = "xdp";
  const auto& interface = *port.interface;
  const auto what = fmt::format("port {}: {}", port.name, interface.name);
  if (!interface.present) {
    return bad(name, fmt::format("port {}: {}", port.name, port.missing), "ip -br link");
  }
  if (!interface.xdp_features) {
    return ok(name,
              fmt::format("{} ({}): this kernel does not tell what the driver can; count on copy mode{}",
                          what, interface.driver, tags_beside(interface)));
  }
  if ((*interface.xdp_features & native) == 0) {
    return warning(
        name,
        fmt::format("{}: {} has no XDP of its own, and the kernel's generic one is slower", what,
                    interface.driver),
        "use a NIC whose driver has XDP, or give this one to DPDK: sekisho-bind-nic " + interface.name);
  }
  return ok(name,
            fmt::format("{}: {} has XDP{}{}", what, interface.driver,
                        (*interface.xdp_features & zero_copy) != 0 ? " with zero copy" : ", in copy mode",
                        tags_beside(interface)));
}

}  // namespace

Findings check_xdp(const System& system) {
  const std::string name = "xdp";
  const auto kernel = fmt::format("Linux {}.{}", system.kernel.first, system.kernel.second);
  const std::string newer = "apt install linux-image-amd64, and restart the machine";
  if (std::ranges::none_of(system.ports, &Port::af_xdp)) {
    return {ok(name, "no port uses AF_XDP")};
  }
  if (system.kernel < oldest_kernel || !system.xdp_sockets) {
    return {bad(name, fmt::format("this {} has no AF_XDP as Sekisho needs it", kernel), newer)};
  }
  Findings findings;
  if (system.kernel < managed_neighbours) {
    findings.push_back(warning(
        name, fmt::format("{} does not keep neighbours resolved by itself; from 5.16 on it does", kernel),
        newer));
  }
  for (const auto& port : system.ports) {
    if (port.af_xdp) {
      findings.push_back(judge_xdp(port));
    }
  }
  return findings;
}

// The dataplane marks the TAPs that it makes, and takes no other.
Findings check_companions(const System& system) {
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.af_xdp || !port.interface || !port.interface->present) {
      continue;
    }
    const auto& interface = *port.interface;
    if (interface.driver != "tun" || interface.alias != port.companion_alias) {
      findings.push_back(bad(
          "companion",
          fmt::format("port {}: its companion cannot be made, as {} is there and was made by somebody else",
                      port.name, interface.name),
          fmt::format("ip link delete {0}, or set companion in [port.{1}] to another name", interface.name,
                      port.name)));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
