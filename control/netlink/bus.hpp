// SPDX-License-Identifier: BSD-3-Clause
// Where a network device is on this machine's buses.
#pragma once

#include <filesystem>
#include <string>

#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

// A virtio device is on a bus of its own, which nobody knows it by: what `lspci` and `ethtool -i` show is the address of the
// PCI device below. That is added to the link's `bus`. Of other devices nothing is asked.
void add_bus_below(Link& link, const std::filesystem::path& sysfs = "/sys");

// False: the device is one of a bus here ("0000:00:04.0", "vmbus:UUID", with or without options behind a comma), and the bus does
// not have it. Of other devices nothing is asked.
[[nodiscard]] bool has_device(const std::string& device);

}  // namespace sekisho::netlink
