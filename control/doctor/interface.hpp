// SPDX-License-Identifier: BSD-3-Clause
// An interface of the kernel in this network namespace, as netlink and ethtool show it: /sys may be that of another namespace.
#pragma once

#include <string>

#include "control/doctor/system.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::doctor {

[[nodiscard]] Interface find_interface(const std::string& name, const netlink::Mirror& mirror);

}  // namespace sekisho::doctor
