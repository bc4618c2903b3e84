// SPDX-License-Identifier: BSD-3-Clause
// The IPv4 header: a view, and the tests that it must pass before anything in it is believed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/checksum.hpp"

namespace sekisho::packet {

inline constexpr std::size_t ipv4_header_minimum = 20;

enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17 };

// A view of at least ipv4_header_minimum bytes.
class Ipv4View {
 public:
  explicit Ipv4View(const std::uint8_t* header) noexcept : header_(header) {}
  [[nodiscard]] unsigned version() const noexcept { return header_[0] >> 4; }
  [[nodiscard]] unsigned header_size() const noexcept { return (header_[0] & 0x0fU) * 4; }
  [[nodiscard]] std::uint16_t total_length() const noexcept { return load_be16(header_ + 2); }
  // First, middle or last: more fragments to come, or an offset.
  [[nodiscard]] bool fragment() const noexcept { return (load_be16(header_ + 6) & 0x3fff) != 0; }
  [[nodiscard]] bool dont_fragment() const noexcept { return (header_[6] & 0x40) != 0; }
  [[nodiscard]] std::uint16_t fragment_offset() const noexcept { return load_be16(header_ + 6) & 0x1fff; }
  [[nodiscard]] std::uint8_t ttl() const noexcept { return header_[8]; }
  [[nodiscard]] Protocol protocol() const noexcept { return Protocol{header_[9]}; }
  [[nodiscard]] std::uint32_t source() const noexcept { return load_be32(header_ + 12); }
  [[nodiscard]] std::uint32_t destination() const noexcept { return load_be32(header_ + 16); }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return header_; }

 private:
  const std::uint8_t* header_;
};

enum class HeaderFault : std::uint8_t { none, too_short, version, header_length, checksum, total_length };

// RFC 1812, 5.2.2: "a router MUST perform the following validity checks". `readable` bytes can be read from
// `header`, `arrived` bytes came behind the link-layer header; they differ when a frame lies in several
// pieces.
[[nodiscard]] inline HeaderFault validate_ipv4(const std::uint8_t* header, std::size_t readable,
                                               std::size_t arrived) noexcept {
  // "(1) The packet length reported by the Link Layer must be large enough to hold the minimum length legal
  // IP datagram (20 bytes)."
  if (readable < ipv4_header_minimum) {
    return HeaderFault::too_short;
  }
  const Ipv4View ip(header);
  // "(3) The IP version number must be 4."
  if (ip.version() != 4) {
    return HeaderFault::version;
  }
  // "(4) The IP header length field must be large enough to hold the minimum length legal IP datagram (20
  // bytes = 5 words)."
  if (ip.header_size() < ipv4_header_minimum) {
    return HeaderFault::header_length;
  }
  if (ip.header_size() > readable) {
    return HeaderFault::too_short;
  }
  // "(2) The IP checksum must be correct." After those that say how far it reaches.
  if (!checksum_holds(header, ip.header_size())) {
    return HeaderFault::checksum;
  }
  // "(5) The IP total length field must be large enough to hold the IP datagram header, whose length is
  // specified in the IP header length field."
  if (ip.total_length() < ip.header_size()) {
    return HeaderFault::header_length;
  }
  // "Additionally, the router SHOULD verify that the packet length reported by the Link Layer is at least as
  // large as the IP total length recorded in the packet's IP header." More is padding (RFC 894).
  if (ip.total_length() > arrived) {
    return HeaderFault::total_length;
  }
  return HeaderFault::none;
}

}  // namespace sekisho::packet
