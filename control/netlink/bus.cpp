// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/bus.hpp"

#include <string_view>
#include <system_error>

namespace sekisho::netlink {
namespace {

// Where the kernel lists what is on a bus; empty: the device is none of a bus.
std::filesystem::path bus_place(const std::string& device) {
  const auto name = device.substr(0, device.find(','));
  constexpr std::string_view vmbus = "vmbus:";
  if (name.starts_with(vmbus))
    return std::filesystem::path("/sys/bus/vmbus/devices") / name.substr(vmbus.size());
  constexpr std::size_t pci_length = std::string_view("0000:00:04.0").size();
  const bool is_pci = name.size() == pci_length && name[4] == ':' && name[7] == ':' && name[10] == '.';
  return is_pci ? std::filesystem::path("/sys/bus/pci/devices") / name : std::filesystem::path();
}

}  // namespace

void add_bus_below(Link& link, const std::filesystem::path& sysfs) {
  if (link.bus.size() != 1 || !link.bus.front().starts_with("virtio"))
    return;
  std::error_code error;
  const auto device = std::filesystem::canonical(sysfs / "bus/virtio/devices" / link.bus.front(), error);
  if (!error && device.has_parent_path())
    link.bus.push_back(device.parent_path().filename().string());
}

bool has_device(const std::string& device) {
  const auto place = bus_place(device);
  std::error_code ignored;
  return place.empty() || std::filesystem::exists(place, ignored);
}

}  // namespace sekisho::netlink
