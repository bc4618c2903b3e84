// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/prefix.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::capture {
namespace {

using packet::load_be16;
using packet::Protocol;

void read_transport(std::span<const std::uint8_t> payload, Ipv4& ip) {
  if (ip.offset != 0) {
    return;
  }
  const Protocol protocol{ip.protocol};
  if (protocol == Protocol::icmp && payload.size() >= 2) {
    ip.icmp_type = payload[0];
    ip.icmp_code = payload[1];
  } else if ((protocol == Protocol::tcp || protocol == Protocol::udp) && payload.size() >= 4) {
    ip.ports = Ports{load_be16(payload.data()), load_be16(payload.data() + 2)};
  }
  if (constexpr std::size_t flags = 13; protocol == Protocol::tcp && payload.size() > flags) {
    ip.tcp_flags = payload[flags];
  }
}

auto read_ipv4(std::span<const std::uint8_t> packet) -> std::optional<Ipv4> {
  if (packet.size() < packet::ipv4_header_minimum || packet::Ipv4View(packet.data()).version() != 4) {
    return std::nullopt;
  }
  const packet::Ipv4View header(packet.data());
  Ipv4 ip{.source = header.source(),
          .destination = header.destination(),
          .protocol = static_cast<std::uint8_t>(header.protocol()),
          .ttl = header.ttl(),
          .length = header.total_length(),
          .identification = load_be16(packet.data() + 4),
          .dont_fragment = header.dont_fragment(),
          .more_fragments = (packet[6] & 0x20) != 0,
          .offset = static_cast<std::uint16_t>(header.fragment_offset() * 8)};
  if (header.header_size() >= packet::ipv4_header_minimum && header.header_size() <= packet.size()) {
    read_transport(packet.subspan(header.header_size()), ip);
  }
  return ip;
}

auto ether_type_name(std::uint16_t type) -> std::string {
  switch (packet::EtherType{type}) {
    case packet::EtherType::ipv4:
      return "IPv4";
    case packet::EtherType::arp:
      return "ARP";
    case packet::EtherType::ipv6:
      return "IPv6";
    case packet::EtherType::customer_tag:
    case packet::EtherType::service_tag:
      return "VLAN";
  }
  return fmt::format("EtherType 0x{:04x}", type);
}

// As tcpdump writes them.
auto flags_text(std::uint8_t flags) -> std::string {
  std::string text;
  for (const auto& [bit, letter] :
       {std::pair{0x02, 'S'}, {0x01, 'F'}, {0x04, 'R'}, {0x08, 'P'}, {0x10, '.'}, {0x20, 'U'}}) {
    if ((flags & bit) != 0) {
      text += letter;
    }
  }
  return text.empty() ? "none" : text;
}

auto to_text(const Ipv4& ip) -> std::string {
  const auto end = [&](std::uint32_t address, std::uint16_t Ports::*port) {
    return base::address_to_string(address) + (ip.ports ? fmt::format(":{}", *ip.ports.*port) : "");
  };
  auto text = fmt::format("{} > {} {}", end(ip.source, &Ports::source),
                          end(ip.destination, &Ports::destination), protocol_name(ip.protocol));
  if (ip.tcp_flags) {
    text += " " + flags_text(*ip.tcp_flags);
  }
  if (ip.icmp_type) {
    text += fmt::format(" type {} code {}", *ip.icmp_type, *ip.icmp_code);
  }
  if (ip.more_fragments || ip.offset != 0) {
    text += fmt::format(", fragment {} at {}{}", ip.identification, ip.offset, ip.more_fragments ? "+" : "");
  }
  return text + fmt::format(", TTL {}", ip.ttl);
}

}  // namespace

auto protocol_name(std::uint8_t protocol) -> std::string {
  switch (Protocol{protocol}) {
    case Protocol::icmp:
      return "icmp";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
  }
  return fmt::format("protocol {}", protocol);
}

auto read_frame(std::span<const std::uint8_t> kept, std::size_t size) -> Frame {
  Frame frame{.size = size};
  if (kept.size() < packet::ethernet_header_size) {
    return frame;
  }
  std::ranges::copy(kept.first<6>(), frame.to.emplace().begin());
  std::ranges::copy(kept.subspan<6, 6>(), frame.from.emplace().begin());
  frame.ether_type = load_be16(kept.data() + 12);
  if (packet::EtherType{*frame.ether_type} == packet::EtherType::ipv4) {
    frame.ip = read_ipv4(kept.subspan(packet::ethernet_header_size));
  }
  return frame;
}

auto to_text(const Frame& frame) -> std::string {
  const auto size = fmt::format("{} byte{}", frame.size, frame.size == 1 ? "" : "s");
  if (frame.ip) {
    return fmt::format("{}, {}", to_text(*frame.ip), size);
  }
  return frame.ether_type
             ? fmt::format("{} > {} {}, {}", base::mac_to_string(*frame.from), base::mac_to_string(*frame.to),
                           ether_type_name(*frame.ether_type), size)
             : size;
}

}  // namespace sekisho::capture
