// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/bus.hpp"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_pci.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace sekisho::port {
namespace {

constexpr std::string_view vmbus_prefix = "vmbus:";

// HV_NIC_GUID.
constexpr std::string_view netvsc_class = "f8615163-df3e-46c5-913f-f2d2f965ed0e";

// Talks to the kernel or to another process, which finds packets in DPDK's own memory alone.
constexpr std::string_view virtio_user = "net_virtio_user";

// Of mlx4 and mlx5 (Azure's Accelerated Networking) and MANA the kernel keeps the device, and DPDK shares it.
constexpr auto shared_drivers = std::to_array<std::string_view>({"mlx4_core", "mlx5_core", "mana"});

using Result = tl::expected<void, std::string>;

template <class... Args>
auto refuse(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(fmt::format(format, std::forward<Args>(args)...));
}

// Empty: bound to none.
std::string driver_of(const std::filesystem::path& device) {
  std::error_code none;
  return std::filesystem::read_symlink(device / "driver", none).filename();
}

std::string word_in(const std::filesystem::path& file) {
  std::string word;
  std::ifstream{file} >> word;
  return word;
}

bool is_network(const std::filesystem::path& device) {
  return word_in(device / "class").starts_with("0x02");
}

bool is_shared(std::string_view driver) {
  return std::ranges::find(shared_drivers, driver) != shared_drivers.end();
}

std::vector<std::filesystem::path> entries(const std::filesystem::path& folder) {
  std::error_code none;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator{folder, none}) {
    found.push_back(entry.path());
  }
  return found;
}

auto check_pci(const std::string& name, const DeviceMemory& memory, const std::filesystem::path& device)
    -> Result {
  if (std::error_code none; !std::filesystem::exists(device, none)) {
    return refuse("{}: there is no such PCI device; `sekisho-bind-nic` lists the NICs", name);
  }
  if (!is_network(device)) {
    return refuse("{}: it is no network device; `sekisho-bind-nic` lists the NICs", name);
  }
  const auto driver = driver_of(device);
  if (driver == "vfio-pci" || is_shared(driver)) {
    return {};
  }
  if (driver == "uio_pci_generic" || driver == "igb_uio") {
    if (!memory.physical_addresses) {
      return refuse(
          "{}: {} needs physical addresses, and this dataplane has none: start it as root with hugepages "
          "(`sekisho doctor` checks both), or where there is an IOMMU bind it to vfio-pci",
          name, driver);
    }
    return {};
  }
  if (driver.empty()) {
    return refuse("{}: it is bound to no driver; `sekisho-bind-nic {}` binds it", name, name);
  }
  return refuse("{}: it is bound to {}, which is the kernel's; `sekisho-bind-nic {}` binds it for DPDK", name,
                driver, name);
}

auto check_vmbus(const std::string& name, const std::filesystem::path& device) -> Result {
  if (std::error_code none; !std::filesystem::exists(device, none)) {
    return refuse("{}{}: there is no such VMBus device; `sekisho-bind-nic` lists the NICs", vmbus_prefix,
                  name);
  }
  if (const auto driver = driver_of(device); driver != "uio_hv_generic") {
    return refuse(
        "{0}{1}: it is bound to {2}; `sekisho-bind-nic {0}{1}` binds it for DPDK, then restart the dataplane",
        vmbus_prefix, name, driver.empty() ? "no driver" : driver);
  }
  return {};
}

}  // namespace

auto locate(const std::string& device, const DeviceMemory& memory, const std::filesystem::path& sysfs)
    -> tl::expected<BusDevice, std::string> {
  const auto comma = device.find(',');
  BusDevice found{.bus = Bus::vdev,
                  .name = device.substr(0, comma),
                  .arguments = comma == std::string::npos ? std::string{} : device.substr(comma + 1)};
  Result checked;
  if (rte_pci_addr address{}; rte_pci_addr_parse(found.name.c_str(), &address) == 0) {
    std::array<char, PCI_PRI_STR_SIZE> full{};
    rte_pci_device_name(&address, full.data(), full.size());
    found.bus = Bus::pci;
    found.name = full.data();
    checked = check_pci(found.name, memory, sysfs / "pci/devices" / found.name);
  } else if (device.starts_with(vmbus_prefix)) {
    found.bus = Bus::vmbus;
    found.name.erase(0, vmbus_prefix.size());
    checked = check_vmbus(found.name, sysfs / "vmbus/devices" / found.name);
  } else if (found.name.empty() || found.name.size() >= RTE_DEV_NAME_MAX_LEN) {
    return refuse(
        "{}: not a device; say a PCI address as in 0000:00:04.0, vmbus:UUID, af_xdp:NETDEV, or "
        "DRIVER[,ARGUMENTS] as for DPDK's --vdev",
        device);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  if (!memory.hugepages && (found.bus != Bus::vdev || found.name.starts_with(virtio_user))) {
    return refuse(
        "{}: it reads and writes packets by itself, for which they have to lie in reserved hugepages, and "
        "this "
        "dataplane started without; `sekisho doctor` says how many to reserve",
        device);
  }
  return found;
}

auto netvsc_functions(const std::filesystem::path& sysfs) -> std::vector<std::string> {
  const bool wanted = std::ranges::any_of(entries(sysfs / "vmbus/devices"), [](const auto& device) {
    return driver_of(device) == "uio_hv_generic" &&
           word_in(device / "class_id").find(netvsc_class) != std::string::npos;
  });
  std::vector<std::string> functions;
  for (const auto& device : wanted ? entries(sysfs / "pci/devices") : std::vector<std::filesystem::path>{}) {
    if (is_network(device) && is_shared(driver_of(device))) {
      functions.push_back(device.filename());
    }
  }
  return functions;
}

}  // namespace sekisho::port
