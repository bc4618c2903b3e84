// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

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

}  // namespace sekisho::doctor
