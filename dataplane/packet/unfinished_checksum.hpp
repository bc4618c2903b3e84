// SPDX-License-Identifier: BSD-3-Clause
// Whether the TCP or UDP checksum of a packet was left for a device to finish. veth, TAP and virtio hand frames over so where their
// sender counts on such an offload, and there is no such device on the way: whoever gets the packet drops it. Ping works, TCP never does, and
// nothing is counted anywhere.
//
// Linux leaves the sum of the pseudo-header in the field (CHECKSUM_PARTIAL). A finished checksum has that value once in 65,536 packets, so
// that one which holds is none.
#pragma once

#include <cstddef>

#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

// `readable` bytes can be read from the valid header on. False of fragments, of other protocols, and of what is not there as a whole.
[[nodiscard]] bool has_unfinished_checksum(Ipv4View ip, std::size_t readable) noexcept;

}  // namespace sekisho::packet
