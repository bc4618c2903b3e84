// SPDX-License-Identifier: BSD-3-Clause
// Which frames are IPv4 packets that a router may believe, and what becomes of the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/base/special_address.hpp"
#include "dataplane/decide/verdict.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"

namespace sekisho::decide {

[[nodiscard]] inline Datagram datagram_of(packet::Ipv4View ip) noexcept {
  return {.ttl = ip.ttl(),
          .length = ip.total_length(),
          .dont_fragment = ip.dont_fragment(),
          .header_size = static_cast<std::uint8_t>(ip.header_size()),
          .fragment_offset = ip.fragment_offset()};
}

// Of a frame that is not IPv4. Ports are untagged: a tag of VID 0, which is of no VLAN, was removed before (packet/vlan.hpp).
[[nodiscard]] constexpr Verdict verdict_of(packet::EtherType type, const HostPort& port) noexcept {
  switch (type) {
    case packet::EtherType::arp:
      return port.companion ? Verdict::to_kernel() : Verdict{DropReason::no_host_companion};
    case packet::EtherType::ipv6:
      return DropReason::ipv6;
    case packet::EtherType::customer_tag:
    case packet::EtherType::service_tag:
      return DropReason::vlan_tagged;
    case packet::EtherType::ipv4:
      break;
  }
  return DropReason::not_ipv4;
}

[[nodiscard]] constexpr DropReason reason_of(packet::HeaderFault fault) noexcept {
  switch (fault) {
    case packet::HeaderFault::version:
      return DropReason::bad_version;
    case packet::HeaderFault::header_length:
      return DropReason::bad_header_length;
    case packet::HeaderFault::checksum:
      return DropReason::bad_checksum;
    case packet::HeaderFault::total_length:
      return DropReason::bad_total_length;
    case packet::HeaderFault::too_short:
    case packet::HeaderFault::none:
      break;
  }
  return DropReason::frame_too_short;
}

[[nodiscard]] constexpr std::optional<DropReason> reason_of(packet::OptionFault fault) noexcept {
  switch (fault) {
    case packet::OptionFault::source_route:
      return DropReason::source_route;
    case packet::OptionFault::obsolete:
      return DropReason::obsolete_option;
    case packet::OptionFault::refused:
      return DropReason::refused_option;
    case packet::OptionFault::malformed:
      return DropReason::bad_options;
    case packet::OptionFault::none:
      break;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr DropReason reason_of(base::AddressFault fault) noexcept {
  switch (fault) {
    case base::AddressFault::martian_source:
      return DropReason::martian_source;
    case base::AddressFault::martian_destination:
      return DropReason::martian_destination;
    case base::AddressFault::multicast:
    case base::AddressFault::none:
      break;
  }
  return DropReason::multicast;
}

// Empty: the frame carries a packet to be routed. `readable` bytes can be read from `frame`, `arrived` bytes came. `station` is
// the port's own address; one of zeros (net_ring, net_null) takes what it is given.
[[nodiscard]] inline std::optional<Verdict> judge_frame(const std::uint8_t* frame, std::size_t readable,
                                                        std::size_t arrived,
                                                        const std::array<std::uint8_t, 6>& station,
                                                        const HostPort& port,
                                                        const packet::OptionPolicy& options) noexcept {
  using packet::ethernet_header_size;
  if (readable < ethernet_header_size) {
    return DropReason::frame_too_short;
  }
  const packet::EthernetView ethernet(frame);
  const bool has_station = station != std::array<std::uint8_t, 6>{};
  // A bridge floods frames for stations that it has not learned yet. Forwarding what is meant for another one
  // would duplicate the packet.
  if (!ethernet.to(station) && has_station && !ethernet.to_group()) {
    return DropReason::other_station;
  }
  if (ethernet.type() != packet::EtherType::ipv4) {
    return verdict_of(ethernet.type(), port);
  }
  // Nobody sends as a group, nor as we do: a loop, or somebody who would have us answer ourselves.
  if (ethernet.from_group() || (ethernet.from(station) && has_station)) {
    return DropReason::bad_sender;
  }
  const std::uint8_t* const header = frame + ethernet_header_size;
  const auto fault =
      packet::validate_ipv4(header, readable - ethernet_header_size, arrived - ethernet_header_size);
  if (fault != packet::HeaderFault::none) {
    return reason_of(fault);
  }
  const packet::Ipv4View ip(header);
  const auto refuse = [&](DropReason reason) {
    return unrouted(reason, port, ip.source(), ip.destination());
  };
  const auto address_fault = base::check_addresses(ip.source(), ip.destination());
  if (address_fault != base::AddressFault::none) {
    return refuse(reason_of(address_fault));
  }
  // RFC 1812, 5.3.4: "A router MUST NOT forward any packet that the router received as a Link Layer
  // broadcast, unless it is directed to an IP Multicast address."
  if (ethernet.to_group()) {
    return refuse(DropReason::link_broadcast);
  }
  if (ip.header_size() > packet::ipv4_header_minimum) {
    if (const auto reason = reason_of(packet::examine_options(ip, options).fault)) {
      return refuse(*reason);
    }
  }
  return std::nullopt;
}

}  // namespace sekisho::decide
