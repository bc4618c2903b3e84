// SPDX-License-Identifier: BSD-3-Clause
// What becomes of one packet. The same questions in the same order as the burst pipeline's stages, asked of a World: the tables
// that workers read (forward/world.hpp), or what a configuration says (control's explain).
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

#include "dataplane/decide/answer.hpp"
#include "dataplane/decide/frame.hpp"
#include "dataplane/decide/verdict.hpp"
#include "dataplane/packet/flow_hash.hpp"

namespace sekisho::decide {

struct Packet {
  packet::Flow flow;
  std::optional<packet::Flow> quoted;  // of an ICMP error: it takes the member of the flow that it quotes
  Datagram datagram;
  bool answerable = true;  // packet::may_be_answered()
};

// Who sends it.
template <typename Zone>
struct Source {
  std::optional<Zone> zone;
  bool own = false;  // nobody: an address of this appliance, or all of a subnet
};

// Zone, NextHop and Member are what the world calls them, say indexes.
template <typename World>
concept Askable =
    requires(const World& world, std::uint32_t address, const packet::Flow& flow, typename World::Zone zone,
             typename World::NextHop next_hop, typename World::Member member) {
      { world.source(address) } -> std::same_as<Source<typename World::Zone>>;
      { world.carries(zone) } -> std::same_as<bool>;  // the port that it came in by; without one, any port
      { world.host() } -> std::same_as<const HostPort*>;  // of that port; null: any
      { world.ways() } -> std::same_as<WaysToKernel>;     // from that port, or from any
      { world.next_hop(zone, address) } -> std::same_as<typename World::NextHop>;
      { world.member(next_hop, flow) } -> std::same_as<typename World::Member>;
      { world.egress(member) } -> std::same_as<Egress>;
      { world.icmp() } -> std::same_as<const IcmpPolicy&>;
    };

// What was found before the first refusal; the rest is as initialised.
template <typename World>
struct Decision {
  std::optional<typename World::Zone> zone;
  bool allowed = false;  // the port may carry the zone's sources
  std::optional<typename World::NextHop> next_hop;
  std::optional<typename World::Member> member;
  Verdict verdict = DropReason::unknown_source;
  std::optional<packet::IcmpError>
      answer;  // what the sender of a packet that is dropped is told, as long as no limit is reached
};

// Whether steering, before any worker, has decided: what comes in by the port whose address it is.
[[nodiscard]] inline std::optional<Verdict> judge_steered(const HostPort* port, std::uint32_t source,
                                                          std::uint32_t destination) noexcept {
  if (port == nullptr || !port->steered || !is_local(*port, destination)) {
    return std::nullopt;
  }
  const auto refused = refusal_by_host(*port, source);
  return refused ? Verdict{*refused} : Verdict::to_kernel();
}

template <Askable World>
[[nodiscard]] Decision<World> judge(const World& world, const Packet& packet) {
  const auto [from, to] = std::pair{packet.flow.source, packet.flow.destination};
  const auto refuse = [&](DropReason reason) {
    return world.host() == nullptr ? Verdict{reason} : unrouted(reason, *world.host(), from, to);
  };
  Decision<World> decision;
  if (const auto steered = judge_steered(world.host(), from, to)) {
    decision.verdict = *steered;
    return decision;
  }
  if (const auto fault = base::check_addresses(from, to); fault != base::AddressFault::none) {
    decision.verdict = refuse(reason_of(fault));
    return decision;
  }
  const auto source = world.source(from);
  if (!source.zone) {
    decision.verdict = refuse(source.own ? DropReason::martian_source : DropReason::unknown_source);
    return decision;
  }
  decision.zone = source.zone;
  decision.allowed = world.carries(*source.zone);
  if (!decision.allowed) {
    decision.verdict = refuse(DropReason::spoofed_source);
    return decision;
  }
  decision.next_hop = world.next_hop(*source.zone, to);
  decision.member = world.member(*decision.next_hop, packet.quoted.value_or(packet.flow));
  decision.verdict = at_egress(world.egress(*decision.member), world.ways(), packet.datagram);
  return decision;
}

// What its sender is told of that verdict.
template <Askable World>
[[nodiscard]] std::optional<packet::IcmpError> answer_to(const World& world, const Packet& packet,
                                                         Verdict verdict) {
  const auto [from, to] = std::pair{packet.flow.source, packet.flow.destination};
  const bool may_be = packet.answerable && may_be_told(from, to) && !world.source(from).own &&
                      !world.source(to).own && (world.host() == nullptr || world.host()->address != 0);
  return may_be ? world.icmp().answer_to(verdict) : std::nullopt;
}

template <Askable World>
[[nodiscard]] Decision<World> decide(const World& world, const Packet& packet) {
  auto decision = judge(world, packet);
  decision.answer = answer_to(world, packet, decision.verdict);
  return decision;
}

}  // namespace sekisho::decide
