// SPDX-License-Identifier: BSD-3-Clause
// Addresses that a router must not believe or must not forward to.
#pragma once

#include <cstdint>

namespace sekisho::base {

enum class AddressFault : std::uint8_t { none, martian_source, martian_destination, multicast };

[[nodiscard]] constexpr bool link_local(std::uint32_t address) noexcept {
  return address >> 16 == 0xa9fe;
}

// 0/8, 127/8, 169.254/16, 224/4 and 240/4: all that is told apart below is one of these.
[[nodiscard]] constexpr bool special(std::uint32_t address) noexcept {
  const std::uint32_t octet = address >> 24;
  return octet == 0 || octet == 127 || octet >= 224 || link_local(address);
}

[[nodiscard]] constexpr bool multicast(std::uint32_t address) noexcept {
  return address >> 28 == 0xe;
}

[[nodiscard]] constexpr AddressFault check_addresses(std::uint32_t source,
                                                     std::uint32_t destination) noexcept {
  // RFC 1812, 5.3.7: "A router SHOULD NOT forward any packet that has an invalid IP source address or a
  // source address on network 0. A router SHOULD NOT forward, except over a loopback interface, any packet
  // that has a source address on network 127." Invalid is also what is no unicast address. RFC 6890 adds
  // 240/4.
  if (special(source)) {
    return AddressFault::martian_source;
  }
  if (!special(destination)) [[likely]] {
    return AddressFault::none;
  }
  // RFC 1812, 5.3.4 and 5.3.5.1: limited broadcast is never forwarded; multicast is not routed here.
  if (multicast(destination) || destination == 0xffff'ffff) {
    return AddressFault::multicast;
  }
  // RFC 3927, 2.7: "A router MUST NOT forward a packet with an IPv4 Link-Local source or destination address,
  // irrespective of the router's default route configuration or routes obtained from dynamic routing
  // protocols." For the other blocks RFC 1812, 5.3.7 says the same of destinations as of sources.
  return AddressFault::martian_destination;
}

}  // namespace sekisho::base
