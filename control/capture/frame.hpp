// SPDX-License-Identifier: BSD-3-Clause
// A frame in words, as far as its first bytes tell: nothing in it is believed, and what is not there is not read. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/base/mac_address.hpp"

namespace sekisho::capture {

struct Ports {
  std::uint16_t source = 0;
  std::uint16_t destination = 0;
};

struct Ipv4 {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::uint16_t length = 0;  // as the header says
  std::uint16_t identification = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t offset = 0;         // of a fragment, in bytes
  std::optional<Ports> ports = {};  // of TCP and UDP, but not of later fragments
  std::optional<std::uint8_t> tcp_flags = {};
  std::optional<std::uint8_t> icmp_type = {};
  std::optional<std::uint8_t> icmp_code = {};
};

struct Frame {
  std::size_t size = 0;  // of the whole frame, not only of what was kept
  std::optional<base::MacAddress> to = {};
  std::optional<base::MacAddress> from = {};
  std::optional<std::uint16_t> ether_type = {};
  std::optional<Ipv4> ip = {};
};

// `kept`: the frame's first bytes; `size`: how many it had.
[[nodiscard]] auto read_frame(std::span<const std::uint8_t> kept, std::size_t size) -> Frame;

// "10.0.0.5:4242 > 1.1.1.1:443 tcp S, TTL 64, 60 bytes"; of no IPv4 "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff ARP, 60 bytes".
[[nodiscard]] auto to_text(const Frame& frame) -> std::string;
// "tcp", "udp", "icmp", or the number.
[[nodiscard]] auto protocol_name(std::uint8_t protocol) -> std::string;

}  // namespace sekisho::capture
