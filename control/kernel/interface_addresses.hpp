// The IPv4 addresses of an interface of the kernel, in the network namespace of the caller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config/config.hpp"

namespace sekisho::kernel {

// nullopt: there is no such interface here, or the kernel does not say.
[[nodiscard]] auto interface_addresses(const std::string& netdev)
    -> std::optional<std::vector<config::InterfaceAddress>>;

}  // namespace sekisho::kernel
