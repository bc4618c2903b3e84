// SPDX-License-Identifier: BSD-3-Clause
// Numbers of Azure's that several rules know.
#pragma once

#include <cstdint>

namespace sekisho::check {

inline constexpr std::uint32_t route_server_asn =
    65515;  // of Route Server, and of a Virtual WAN hub's router

}  // namespace sekisho::check
