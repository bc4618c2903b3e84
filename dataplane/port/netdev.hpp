// SPDX-License-Identifier: BSD-3-Clause
// What an AF_XDP port has to know of its netdev, and to change there, before DPDK takes its queues.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace sekisho::port {

struct Netdev {
  std::uint16_t queues = 0;  // pairs of receive and transmit queues that AF_XDP can use; all that receive
  std::uint16_t mtu = 0;
};

// One queue pair for each channel; each worker needs one to transmit on. The error is a sentence that begins
// with the name.
[[nodiscard]] auto inspect_netdev(const std::string& name, unsigned workers)
    -> tl::expected<Netdev, std::string>;

// Turns off what would change frames between the wire and XDP: LRO and GRO merge them (without a native XDP
// driver, XDP runs behind GRO), VLAN stripping hides that they are tagged. As far as the driver lets us; a
// driver that cannot turn one off refuses XDP itself if it matters. A veth's peer is beyond our reach: it
// must not leave checksums to the device
// (`ethtool -K PEER tx off`), as nobody would fill them in. They stay off after the port was closed.
void disable_merging(const std::string& name) noexcept;

// Whether the interface of this index is administratively down. False also where the kernel does not say.
[[nodiscard]] bool is_disabled(int ifindex) noexcept;

}  // namespace sekisho::port
