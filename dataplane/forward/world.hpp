// SPDX-License-Identifier: BSD-3-Clause
// What decide.hpp asks, of the tables that workers read; and the questions about them that the pipeline asks, too.
#pragma once

#include <algorithm>
#include <optional>

#include "dataplane/decide/decide.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho::forward {

// Whether an index from the table of sources is a zone's. That table is shared by successive states, hence
// may name zones that this state does not have yet: those carry no port.
[[nodiscard]] constexpr bool is_zone(ZoneIndex zone) noexcept {
  return value_of(zone) - 1U < max_zones;
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
  return may_carry(state.zone(zone), port) ? std::nullopt : std::optional(DropReason::spoofed_source);
}

// Whether worker `worker` can send there.
[[nodiscard]] constexpr bool runs(const EgressPort& port, unsigned worker) noexcept {
  return worker < port.tx_queues;
}

[[nodiscard]] constexpr decide::Egress egress_of(const ForwardingState& state,
                                                 const nexthop::Adjacency& adjacency,
                                                 unsigned worker) noexcept {
  return {
      .action = adjacency.action, .runs = runs(state.ports[adjacency.port], worker), .mtu = adjacency.mtu};
}

// Its caller is an online reader of the tables' Qsbr, or the writer.
class World {
 public:
  using Zone = ZoneIndex;
  using NextHop = NextHopIndex;
  using Member = nexthop::AdjacencyIndex;

  // Without a port: any that may carry the source.
  World(const ForwardingState& state, std::optional<PortIndex> port) : state_{state}, port_{port} {}

  [[nodiscard]] decide::Source<Zone> source(std::uint32_t address) const noexcept {
    const ZoneIndex zone{state_.sources->lookup(address)};
    return {.zone = is_zone(zone) ? std::optional{zone} : std::nullopt, .own = zone == own_sources};
  }
  [[nodiscard]] bool carries(Zone zone) const noexcept {
    return port_ ? may_carry(state_.zone(zone), *port_) : state_.zone(zone).ports != 0;
  }
  [[nodiscard]] const HostPort* host() const noexcept { return port_ ? &state_.host[*port_] : nullptr; }
  [[nodiscard]] decide::WaysToKernel ways() const noexcept {
    if (port_) {
      return decide::ways_to_kernel(state_.host[*port_], state_.exit_mtu);
    }
    return {.companion = std::ranges::any_of(state_.host, &HostPort::companion),
            .exit_mtu =
                std::ranges::any_of(state_.host, [](const HostPort& port) { return port.ring != nullptr; })
                    ? state_.exit_mtu
                    : std::uint16_t{0}};
  }
  [[nodiscard]] NextHop next_hop(Zone zone, std::uint32_t destination) const noexcept {
    const auto* const table = state_.zone(zone).table;
    return NextHopIndex{table == nullptr ? fib::no_route : table->lookup(destination)};
  }
  [[nodiscard]] Member member(NextHop next_hop, const packet::Flow& flow) const noexcept {
    const auto& found = state_.next_hops->next_hop(next_hop);
    return found.choose(packet::flow_hash(flow, found.hash_by()));
  }
  // Every worker has a transmit queue on every port that runs, so the first one answers for all.
  [[nodiscard]] decide::Egress egress(Member member) const noexcept {
    return egress_of(state_, state_.next_hops->adjacency(member), 0);
  }
  [[nodiscard]] const decide::IcmpPolicy& icmp() const noexcept { return state_.icmp; }

 private:
  const ForwardingState& state_;
  const std::optional<PortIndex> port_;
};
static_assert(decide::Askable<World>);

}  // namespace sekisho::forward
