// SPDX-License-Identifier: BSD-3-Clause
// An interface of the kernel in this network namespace, as netlink shows it: /sys may be that of another namespace.
#pragma once

#include <string>

#include "control/doctor/system.hpp"

namespace sekisho::doctor {

[[nodiscard]] Interface find_interface(const std::string& name);

}  // namespace sekisho::doctor
