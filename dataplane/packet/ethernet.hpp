// SPDX-License-Identifier: BSD-3-Clause
// The Ethernet II header: destination, source, EtherType.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/packet/bytes.hpp"

namespace sekisho::packet {

inline constexpr std::size_t ethernet_header_size = 14;
inline constexpr std::size_t ethernet_minimum = 60;  // without FCS; shorter payloads are padded to it

enum class EtherType : std::uint16_t {
  ipv4 = 0x0800,
  arp = 0x0806,
  customer_tag = 0x8100,  // of a VLAN (vlan.hpp)
  ipv6 = 0x86dd,
  service_tag = 0x88a8,
};

// A view of a frame of at least ethernet_header_size bytes.
class EthernetView {
 public:
  explicit EthernetView(const std::uint8_t* frame) noexcept : frame_(frame) {}
  [[nodiscard]] EtherType type() const noexcept { return EtherType{load_be16(frame_ + 12)}; }
  // Broadcast or multicast: the lowest bit of the first byte on the wire.
  [[nodiscard]] bool to_group() const noexcept { return (frame_[0] & 1) != 0; }
  [[nodiscard]] bool to(const std::array<std::uint8_t, 6>& station) const noexcept {
    return std::memcmp(frame_, station.data(), station.size()) == 0;
  }
  [[nodiscard]] bool from_group() const noexcept { return (frame_[6] & 1) != 0; }
  [[nodiscard]] bool from(const std::array<std::uint8_t, 6>& station) const noexcept {
    return std::memcmp(frame_ + 6, station.data(), station.size()) == 0;
  }

 private:
  const std::uint8_t* frame_;
};

// Of a frame that carries a datagram of `length` bytes and nothing else.
[[nodiscard]] constexpr std::uint32_t frame_size(std::uint32_t length) noexcept {
  return std::max<std::uint32_t>(ethernet_header_size + length, ethernet_minimum);
}

// Destination and source; the EtherType stays.
inline void rewrite_stations(std::uint8_t* frame, const std::array<std::uint8_t, 12>& stations) noexcept {
  std::memcpy(frame, stations.data(), stations.size());
}

}  // namespace sekisho::packet
