// SPDX-License-Identifier: BSD-3-Clause
// A port's device on its bus, and an interface of the kernel.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "control/doctor/system.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::doctor {

// As /sys/bus shows it: "0000:00:05.0" or "vmbus:UUID", with DPDK's arguments or without; nothing for other devices.
[[nodiscard]] std::optional<Nic> find_nic(const std::string& device,
                                          const std::filesystem::path& sysfs = "/sys");

// In this network namespace, as netlink and ethtool show it: /sys may be that of another namespace.
[[nodiscard]] Interface find_interface(const std::string& name, const netlink::Mirror& mirror);

}  // namespace sekisho::doctor
