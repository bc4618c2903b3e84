// SPDX-License-Identifier: BSD-3-Clause
// The questions that decide about a packet, one function each. The pipeline asks them for a burst, decide()
// for one pair of addresses: what an operator is told is what workers do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/base/special_address.hpp"
#include "dataplane/fib/next_hop_table.hpp"
#include "dataplane/forward/drop_reason.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::forward {

// Of a frame that is not IPv4. VLAN tags count as any other EtherType: ports are untagged.
[[nodiscard]] constexpr DropReason reason_of(packet::EtherType type) noexcept {
  switch (type) {
    case packet::EtherType::arp:
      return DropReason::no_host_companion;
    case packet::EtherType::ipv6:
      return DropReason::ipv6;
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

// Whether an index from the table of sources is a zone's. That table is shared by successive states, hence
// may name zones that this state does not have yet: those carry no port.
[[nodiscard]] constexpr bool is_zone(ZoneIndex zone) noexcept {
  return zone - 1U < max_zones;
}

[[nodiscard]] constexpr bool may_carry(const Zone& zone, PortIndex port) noexcept {
  return (zone.ports >> port & 1) != 0;
}

// Why no packet of such a source is forwarded; nothing of a zone that the port carries.
[[nodiscard]] constexpr std::optional<DropReason> refusal_of_source(const ForwardingState& state,
                                                                    ZoneIndex zone, PortIndex port) noexcept {
  if (!is_zone(zone)) {
    return zone == own_sources ? DropReason::martian_source : DropReason::unknown_source;
  }
  return may_carry(state.zones[zone], port) ? std::nullopt : std::optional(DropReason::spoofed_source);
}

// Whether the kernel has the address on this port.
[[nodiscard]] inline bool is_local(const HostPort& port, std::uint32_t address) noexcept {
  return std::ranges::binary_search(port.local, address);
}

// Why the kernel gets no packet of this source by the port.
[[nodiscard]] inline std::optional<DropReason> refusal_by_host(const HostPort& port,
                                                               std::uint32_t source) noexcept {
  switch (port.sources == nullptr ? SourceVerdict::unknown : port.sources->of(source)) {
    case SourceVerdict::allowed:
      return std::nullopt;
    case SourceVerdict::spoofed:
      return DropReason::spoofed_source;
    case SourceVerdict::martian:
      return DropReason::martian_source;
    case SourceVerdict::unknown:
      break;
  }
  return DropReason::unknown_source;
}

// Whether worker `worker` can send there.
[[nodiscard]] constexpr bool runs(const EgressPort& port, unsigned worker) noexcept {
  return worker < port.tx_queues;
}

// Why an adjacency does not take a packet that worker `worker` would send there. What is for the kernel it does not take
// either: where there is a way to it (to_host.hpp) that is no drop.
[[nodiscard]] constexpr std::optional<DropReason> refusal(const ForwardingState& state,
                                                          const fib::Adjacency& adjacency,
                                                          unsigned worker) noexcept {
  switch (adjacency.action) {
    case fib::Action::forward:
      // A port that does not run takes its neighbours with it, until the groups have heard.
      return runs(state.ports[adjacency.port], worker) ? std::nullopt
                                                       : std::optional(DropReason::next_hop_down);
    case fib::Action::no_route:
      return DropReason::no_route;
    case fib::Action::drop:
      return DropReason::null_route;
    case fib::Action::host:
      return DropReason::no_host_companion;
    case fib::Action::exit:
      return DropReason::no_exit;
    case fib::Action::group_down:
      return DropReason::next_hop_down;
    case fib::Action::connected:
    case fib::Action::unresolved:
      break;
  }
  return DropReason::neighbour_unresolved;
}

}  // namespace sekisho::forward
