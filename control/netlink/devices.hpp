// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with the devices of a configuration on this machine, as the kernel has them now. Pure.
#pragma once

#include <optional>
#include <vector>

#include "common/base/error.hpp"
#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

// AF_XDP ports whose device is no interface here, or none that a port may have: "port lan: there is no interface lan0".
[[nodiscard]] auto missing_devices(const config::Config& config, const Mirror& mirror)
    -> std::vector<base::Error>;
// The second of two ports that have one interface by different names.
[[nodiscard]] auto shared_device(const config::Config& config, const Mirror& mirror)
    -> std::optional<base::Error>;

}  // namespace sekisho::netlink
