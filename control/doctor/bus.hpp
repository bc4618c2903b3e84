// SPDX-License-Identifier: BSD-3-Clause
// A port's device as /sys/bus shows it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "control/doctor/system.hpp"

namespace sekisho::doctor {

// "0000:00:05.0" or "vmbus:UUID", with DPDK's arguments or without; nothing for other devices.
[[nodiscard]] std::optional<Nic> find_nic(const std::string& device,
                                          const std::filesystem::path& sysfs = "/sys");

}  // namespace sekisho::doctor
