// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/answering.hpp"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "common/base/prefix.hpp"
#include "dataplane/forward/diverted.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/worker_data.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/packet/icmp_error.hpp"
#include "dataplane/packet/options.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;

// When the next one would be due after one that is sent now; nothing if it would be more than a second ahead.
std::optional<std::uint64_t> next_due(std::uint64_t due, std::uint64_t now, std::uint32_t rate) noexcept {
  const std::uint64_t second = rte_get_tsc_hz();
  const std::uint64_t next = std::max(due, now) + std::max<std::uint64_t>(second / std::max(rate, 1U), 1);
  return rate != 0 && next <= now + second ? std::optional{next} : std::nullopt;
}

bool is_own(const ForwardingState& state, std::uint32_t address) noexcept {
  return ZoneIndex{state.sources->lookup(address)} == own_sources;
}

// The first bytes of a frame, wherever they lie.
const std::uint8_t* read(const rte_mbuf& frame, std::size_t size, std::uint8_t* room) noexcept {
  return static_cast<const std::uint8_t*>(
      rte_pktmbuf_read(&frame, 0, static_cast<std::uint32_t>(size), room));
}

// To whoever sent the frame, from the address that it was sent to: this station's own, since a group is never answered.
void turn_round(const std::uint8_t* frame, std::uint8_t* answer) noexcept {
  std::memcpy(answer, frame + 6, 6);
  std::memcpy(answer + 6, frame, 6);
  packet::store_be16(answer + 12, static_cast<std::uint16_t>(packet::EtherType::ipv4));
}

}  // namespace

bool Answering::may_say(const decide::IcmpLimits& limits, std::uint32_t to) noexcept {
  const std::uint64_t now = rte_rdtsc();
  const std::uint32_t prefix = to & base::Prefix{0, limits.source_length}.mask();
  std::uint64_t& of_source = due_by_source_[(prefix * 0x9e37'79b1U) >> 22];
  const auto by_source = next_due(of_source, now, limits.rate_per_source);
  const auto of_all = next_due(due_, now, limits.rate);
  if (!by_source || !of_all) {
    return false;
  }
  of_source = *by_source;
  due_ = *of_all;
  return true;
}

bool Answering::answer(const Place& place, const rte_mbuf& frame, packet::IcmpError error,
                       std::uint16_t mtu) noexcept {
  const auto& [state, ingress, own] = place;
  auto& counters = own.counters.ports[ingress.port];
  if (!ingress.generated && state.host[ingress.port].address == 0) {
    return false;
  }
  std::array<std::uint8_t, ethernet_header_size + packet::quote_maximum> room;
  const std::size_t readable = std::min<std::size_t>(frame.pkt_len, room.size());
  const std::uint8_t* const bytes = read(frame, readable, room.data());
  const packet::Ipv4View ip(bytes + ethernet_header_size);
  // RFC 1812, 4.3.2.7: no error about "A packet sent as a Link Layer broadcast or multicast".
  if (packet::EthernetView(bytes).to_group() ||
      !packet::may_be_answered(ip, readable - ethernet_header_size) ||
      !decide::may_be_told(ip.source(), ip.destination()) || is_own(state, ip.source()) ||
      is_own(state, ip.destination())) {
    return false;
  }
  if (!may_say(state.icmp.limits, ip.source())) {
    counters.icmp_limited.add(1);
    return false;
  }
  rte_mbuf* const answer = rte_pktmbuf_alloc(frame.pool);
  if (answer == nullptr) {
    counters.icmp_limited.add(1);
    return false;
  }
  auto* const out = rte_pktmbuf_mtod(answer, std::uint8_t*);
  turn_round(bytes, out);
  const packet::IcmpMessage message{
      .error = error,
      .from = ingress.generated ? ip.destination() : state.host[ingress.port].address,
      .mtu = mtu,
      .pointer = error == packet::IcmpError::parameter_problem ? packet::examine_options(ip, state.options).at
                                                               : std::uint8_t{0}};
  const std::size_t quoted = std::min<std::size_t>(readable - ethernet_header_size, ip.total_length());
  const auto length = static_cast<std::uint32_t>(
      packet::build_icmp_error(message, bytes + ethernet_header_size, quoted, out + ethernet_header_size));
  // What is quoted has a header at least: the frame needs no padding.
  static_assert(ethernet_header_size + 2 * packet::ipv4_header_minimum + packet::icmp_header_size >=
                packet::ethernet_minimum);
  const std::uint32_t size = packet::frame_size(length);
  answer->data_len = static_cast<std::uint16_t>(size);
  answer->pkt_len = size;
  counters.icmp[static_cast<std::size_t>(error)].add(1);
  counters.generated.add(1, size);
  errors_[count_++] = answer;
  return true;
}

void Answering::send_all(const Place& place) noexcept {
  const auto& [state, ingress, own] = place;
  auto& counters = own.counters.ports[ingress.port];
  const unsigned count = std::exchange(count_, 0);
  if (ingress.generated) {
    Diverted back(place, Diverted::Senders::not_told);
    for (unsigned at = 0; at < count; ++at) {
      back.give_back(errors_[at]);
    }
    back.settle();
    return;
  }
  std::array<std::uint32_t, burst_capacity> sizes;
  std::transform(errors_.begin(), errors_.begin() + count, sizes.begin(),
                 [](const rte_mbuf* error) { return error->pkt_len; });
  const EgressPort& port = state.ports[ingress.port];
  const unsigned sent = runs(port, own.index) ? forward::send(state, own.index, ingress.port, port.dpdk_port,
                                                              {errors_.data(), count})
                                              : 0;
  counters.tx.add(sent, std::accumulate(sizes.begin(), sizes.begin() + sent, std::uint64_t{0}));
  counters.drops[static_cast<std::size_t>(DropReason::transmit_full)].add(count - sent);
  rte_pktmbuf_free_bulk(errors_.data() + sent, count - sent);
}

}  // namespace sekisho::forward
