// SPDX-License-Identifier: BSD-3-Clause
// The kernel's links and their addresses, asked once, for who does not follow them: in the network namespace of the caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

// Of a mirror only `links` (without forwarding and rp_filter of `all`) and `addresses`. The error is one sentence.
[[nodiscard]] auto snapshot() -> tl::expected<Mirror, std::string>;

// nullopt: the port's interface is not here.
using AddressesOf =
    std::function<std::optional<std::vector<config::InterfaceAddress>>(const config::Port& port)>;
// By this mirror, which it keeps.
[[nodiscard]] auto addresses_by(Mirror mirror) -> AddressesOf;

}  // namespace sekisho::netlink
