// SPDX-License-Identifier: BSD-3-Clause
// What an AF_XDP port takes, whatever its NIC and its driver are.
#pragma once

#include <cstdint>

namespace sekisho::base {

// The longest packets, in bytes of IPv4: the kernel gives AF_XDP one buffer a frame, of a page at most, and in that lie XDP's and DPDK's
// headrooms and what DPDK writes of each buffer. The dataplane's usual buffers are of half a page.
inline constexpr std::uint16_t most_af_xdp_mtu = 3'498;
inline constexpr std::uint16_t usual_af_xdp_mtu = 1'774;

}  // namespace sekisho::base
