// SPDX-License-Identifier: BSD-3-Clause
// VLAN tags that stand in a frame, between the sender and the EtherType: IEEE 802.1Q, 9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/ethernet.hpp"

namespace sekisho::packet {

inline constexpr std::uint16_t vlan_tag_size = 4;

[[nodiscard]] constexpr bool is_vlan_tag(EtherType type) noexcept {
  return type == EtherType::customer_tag || type == EtherType::service_tag;
}

// Whether the frame, of which `readable` bytes can be read, is of no VLAN although it has a tag. 802.1Q, table 9-2, of VID 0: "Indicates
// that the tag header contains only priority information; no VID is present in the frame."
[[nodiscard]] inline bool has_priority_tag(const std::uint8_t* frame, std::size_t readable) noexcept {
  return readable >= ethernet_header_size + vlan_tag_size && is_vlan_tag(EthernetView(frame).type()) &&
         (load_be16(frame + ethernet_header_size) & 0x0fffU) == 0;
}

// The frame without its tag begins vlan_tag_size bytes behind where the frame began.
inline void move_stations_over_tag(std::uint8_t* frame) noexcept {
  std::memmove(frame + vlan_tag_size, frame, ethernet_header_size - sizeof(EtherType));
}

}  // namespace sekisho::packet
