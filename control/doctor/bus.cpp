// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/bus.hpp"

#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>

namespace sekisho::doctor {
namespace {

namespace fs = std::filesystem;

bool is_pci_address(const std::string& name) {
  unsigned part = 0;
  int length = 0;
  return std::sscanf(name.c_str(), "%4x:%2x:%2x.%1x%n", &part, &part, &part, &part, &length) == 4 &&
         name.size() == static_cast<std::size_t>(length);
}

// A virtio NIC's interface belongs to the virtio device behind the PCI device.
std::string interface_of(const fs::path& device) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{device / "net", none}) {
    return entry.path().filename();
  }
  for (const auto& entry : fs::directory_iterator{device, none}) {
    if (entry.path().filename().native().starts_with("virtio")) {
      return interface_of(entry.path());
    }
  }
  return {};
}

}  // namespace

std::optional<Nic> find_nic(const std::string& device, const fs::path& sysfs) {
  constexpr std::string_view vmbus = "vmbus:";
  const auto name = device.substr(0, device.find(','));
  fs::path path = sysfs / "bus";
  if (name.starts_with(vmbus)) {
    path /= fs::path{"vmbus/devices"} / name.substr(vmbus.size());
  } else if (is_pci_address(name)) {
    path /= fs::path{"pci/devices"} / name;
  } else {
    return std::nullopt;
  }
  Nic nic;
  std::error_code none;
  nic.present = fs::exists(path, none);
  nic.driver = fs::read_symlink(path / "driver", none).filename();
  nic.interface = interface_of(path);
  // vfio-pci's no-IOMMU mode makes a group of that name.
  std::string group;
  std::ifstream{path / "iommu_group/name"} >> group;
  nic.iommu = fs::exists(path / "iommu_group", none) && group != "vfio-noiommu";
  std::string type;
  std::ifstream{path / "iommu_group/type"} >> type;
  nic.translated = nic.iommu && type.starts_with("DMA");
  return nic;
}

}  // namespace sekisho::doctor
