// SPDX-License-Identifier: BSD-3-Clause
// The longest segment that a TCP connection's end says it will take (RFC 9293, 3.7.1), and lowering it on the way. Whoever says less
// is sent less: a path whose MTU is smaller than its ends know then works without ICMP.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

inline constexpr std::size_t tcp_header_minimum = 20;

// RFC 9293, 3.7.1: "The MSS value to be sent in an MSS Option should be equal to the effective MTU minus the fixed IP and TCP headers."
inline constexpr std::uint16_t mss_overhead = ipv4_header_minimum + tcp_header_minimum;

// Whether it may say one. RFC 9293, 3.2: "This field MUST only be sent in the initial connection request (i.e., in segments with
// the SYN control bit set)." `readable` bytes can be read from the valid header on.
[[nodiscard]] inline bool is_syn(Ipv4View ip, std::size_t readable) noexcept {
  constexpr std::size_t flags_at = 13;
  constexpr std::uint8_t syn = 0x02;
  return ip.protocol() == Protocol::tcp && ip.fragment_offset() == 0 &&
         ip.header_size() + tcp_header_minimum <= std::min<std::size_t>(readable, ip.total_length()) &&
         (ip.data()[ip.header_size() + flags_at] & syn) != 0;
}

// Of such a packet: lowers what it says to `most`, and mends the TCP checksum. Whether there was something to lower; a segment that says
// nothing stays as it is, and so does one whose options cannot be read so far.
bool lower_mss(std::uint8_t* header, std::size_t readable, std::uint16_t most) noexcept;

}  // namespace sekisho::packet
