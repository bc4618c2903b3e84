// SPDX-License-Identifier: BSD-3-Clause
// Numbers of Azure's that the configuration and its check know.
#pragma once

#include <cstdint>

namespace sekisho::config {

// Of Route Server, and of a Virtual WAN hub's router.
inline constexpr std::uint32_t route_server_asn = 65515;

}  // namespace sekisho::config
