// SPDX-License-Identifier: BSD-3-Clause
// Where DPDK finds a device of its own:
//   "0000:00:04.0"   a NIC on the PCI bus, bound to a driver that leaves it to user space
//   "vmbus:UUID"     one on Hyper-V's, bound to uio_hv_generic
//   anything else    a virtual one that DPDK makes, as for --vdev: "net_null0,no-rx=1"
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::port {

enum class Bus { pci, vmbus, vdev };

struct BusDevice {
  Bus bus = Bus::vdev;
  std::string name;  // DPDK's for the device and for its port
  std::string arguments;
};

// What DPDK's memory offers to a device that reads and writes packets by itself.
struct DeviceMemory {
  bool hugepages = true;           // the packets are in reserved ones
  bool physical_addresses = true;  // and the device is given those
};

// The error is one sentence that names the device and says what to do.
[[nodiscard]] auto locate(const std::string& device, const DeviceMemory& memory,
                          const std::filesystem::path& sysfs = "/sys/bus")
    -> tl::expected<BusDevice, std::string>;

// PCI addresses of the virtual functions that DPDK has to be shown for its netvsc ports: none unless a network device on
// VMBus is bound for user space. From documentation; not tried on Azure.
[[nodiscard]] auto netvsc_functions(const std::filesystem::path& sysfs = "/sys/bus")
    -> std::vector<std::string>;

}  // namespace sekisho::port
