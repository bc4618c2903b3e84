#include "control/netlink/bus.hpp"

#include <system_error>

namespace sekisho::netlink {

void add_bus_below(Link& link, const std::filesystem::path& sysfs) {
  if (link.bus.size() != 1 || !link.bus.front().starts_with("virtio"))
    return;
  std::error_code error;
  const auto device = std::filesystem::canonical(sysfs / "bus/virtio/devices" / link.bus.front(), error);
  if (!error && device.has_parent_path())
    link.bus.push_back(device.parent_path().filename().string());
}

}  // namespace sekisho::netlink
