// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/decide.hpp"

#include "dataplane/forward/to_host.hpp"
#include "dataplane/forward/verdict.hpp"
#include "dataplane/packet/flow_hash.hpp"

namespace sekisho::forward {

namespace {

// What comes in by the port whose address it is goes to the kernel before any table is asked.
void decide_local(Decision& decision, const ForwardingState& state, const HostPort& port,
                  std::uint32_t source, std::uint32_t destination) noexcept {
  const Zone& zone = state.zones[decision.zone];
  decision.drop = refusal_by_host(port, source);
  if (!decision.drop && !port.steered && !port.companion) {
    decision.drop = DropReason::no_host_companion;
  }
  if (!decision.drop && decision.allowed && zone.table != nullptr) {
    decision.next_hop = zone.table->lookup(destination);
  }
}

}  // namespace

Decision decide(const ForwardingState& state, std::uint32_t source, std::uint32_t destination,
                std::optional<PortIndex> port) noexcept {
  Decision decision;
  const ZoneIndex index = state.sources->lookup(source);
  if (port && is_local(state.host[*port], destination)) {
    decision.zone = is_zone(index) ? index : ZoneIndex{0};
    decision.allowed = may_carry(state.zones[decision.zone], *port);
    decide_local(decision, state, state.host[*port], source, destination);
    return decision;
  }
  if (const auto fault = base::check_addresses(source, destination); fault != base::AddressFault::none) {
    decision.drop = reason_of(fault);
    return decision;
  }
  if (!is_zone(index)) {
    decision.drop = refusal_of_source(state, index, 0);
    return decision;
  }
  decision.zone = index;
  const Zone& zone = state.zones[index];
  decision.allowed = port ? may_carry(zone, *port) : zone.ports != 0;
  if (!decision.allowed) {
    decision.drop = DropReason::spoofed_source;
    return decision;
  }
  if (zone.table != nullptr) {
    decision.next_hop = zone.table->lookup(destination);
  }
  const fib::NextHop& next_hop = state.next_hops->next_hop(decision.next_hop);
  const packet::Flow flow{source, destination, packet::Protocol::icmp};
  decision.adjacency = next_hop.choose(packet::flow_hash(flow));
  // Every worker has a transmit queue on every port that runs, so the first one answers for all.
  decision.drop = refusal(state, state.next_hops->adjacency(decision.adjacency), 0);
  const bool to_host = decision.drop == DropReason::no_host_companion && reaches_host(state, port);
  const bool leaves = decision.drop == DropReason::no_exit && state.exit_mtu != 0;
  if (to_host || leaves) {
    decision.drop.reset();
  }
  return decision;
}

}  // namespace sekisho::forward
