// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/describe.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/vlan.hpp"
#include "dataplane/writer/convert.hpp"

namespace sekisho::writer {
namespace {

using forward::Judgement;

// The pipeline's route stage only looks up: what a route, or its lack, says is found by resolve.
std::string_view name_of_stage(const Judgement& judgement) {
  const bool is_of_route =
      judgement.fate == Judgement::Fate::dropped && (judgement.reason == decide::DropReason::no_route ||
                                                     judgement.reason == decide::DropReason::null_route);
  switch (judgement.stage) {
    case Judgement::Stage::validate:
      return "validate";
    case Judgement::Stage::admit:
      return "admit";
    case Judgement::Stage::resolve:
      return is_of_route ? "route" : "resolve";
    case Judgement::Stage::transmit:
      return "transmit";
    case Judgement::Stage::waiting:
      break;
  }
  return "waiting";
}

ipc::Judgement::Fate to_fate(Judgement::Fate fate) {
  switch (fate) {
    case Judgement::Fate::forwarded:
      return ipc::Judgement::FORWARDED;
    case Judgement::Fate::in_fragments:
      return ipc::Judgement::IN_FRAGMENTS;
    case Judgement::Fate::to_kernel:
      return ipc::Judgement::TO_KERNEL;
    case Judgement::Fate::to_exit:
      return ipc::Judgement::TO_EXIT;
    case Judgement::Fate::to_exit_in_fragments:
      return ipc::Judgement::TO_EXIT_IN_FRAGMENTS;
    case Judgement::Fate::waits:
      return ipc::Judgement::WAITS;
    case Judgement::Fate::dropped:
      return ipc::Judgement::IS_DROPPED;
    case Judgement::Fate::undecided:
      break;
  }
  return ipc::Judgement::UNDECIDED;
}

// Of a frame as it came, which may have a tag of VID 0. Its header has been validated if a zone was looked for.
std::optional<packet::Ipv4View> header_of(std::span<const std::uint8_t> frame) {
  std::size_t at = packet::ethernet_header_size;
  if (packet::has_priority_tag(frame.data(), frame.size())) {
    at += packet::vlan_tag_size;
  }
  return frame.size() < at + packet::ipv4_header_minimum ? std::nullopt
                                                         : std::optional{packet::Ipv4View(frame.data() + at)};
}

// The longest prefix, where it still gives what the worker found.
std::optional<base::Prefix> prefix_of(const fib::Fib& table, std::uint32_t address, fib::Value found) {
  const auto route = table.longest_match(address);
  return route && route->value == found ? std::optional{route->prefix} : std::nullopt;
}

template <typename Named, typename Index>
auto named(const Named& all, Index index) {
  return std::ranges::find_if(all, [=](const auto& one) { return one.second.index == index; });
}

}  // namespace

void describe(const Live& live, const forward::Capture::Packet& packet, ipc::Judgement& message) {
  const auto& judgement = packet.judgement;
  message.set_stage(std::string{name_of_stage(judgement)});
  message.set_fate(to_fate(judgement.fate));
  message.set_generated(judgement.generated);
  if (judgement.told) {
    message.set_told(std::string{packet::text_of(*judgement.told).name});
  }
  const auto ip = header_of(packet.bytes());
  if (!judgement.zone || !ip) {
    return;
  }
  const auto zone = named(live.zones, *judgement.zone);
  if (zone == live.zones.end()) {
    return;
  }
  message.set_zone(zone->first);
  if (const auto prefix = prefix_of(*live.sources, ip->source(), value_of(*judgement.zone))) {
    assign(*message.mutable_source_prefix(), *prefix);
  }
  if (!judgement.next_hop) {
    return;
  }
  if (const auto next_hop = named(live.next_hop_names, *judgement.next_hop);
      next_hop != live.next_hop_names.end()) {
    message.set_next_hop(next_hop->first);
    if (const auto route = prefix_of(*zone->second.table, ip->destination(), value_of(*judgement.next_hop))) {
      assign(*message.mutable_route(), *route);
    }
  }
  if (const auto member = named(live.adjacencies, judgement.member.value_or(0));
      member != live.adjacencies.end()) {
    assign(*message.mutable_member(), member->first);
  }
}

}  // namespace sekisho::writer
