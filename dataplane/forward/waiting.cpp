// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/waiting.hpp"

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <utility>

#include "dataplane/decide/decide.hpp"
#include "dataplane/decide/frame.hpp"
#include "dataplane/forward/books_check.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/stages.hpp"
#include "dataplane/forward/worker_data.hpp"
#include "dataplane/forward/world.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "dataplane/packet/ipv4.hpp"
#include "dataplane/packet/options.hpp"

namespace sekisho::forward {
namespace {

using packet::ethernet_header_size;

packet::Ipv4View header_of(const rte_mbuf& frame) noexcept {
  return packet::Ipv4View(rte_pktmbuf_mtod_offset(&frame, const std::uint8_t*, ethernet_header_size));
}

decide::Decision<World> decide_about(const rte_mbuf& frame, const ForwardingState& state,
                                     PortIndex ingress) noexcept {
  const auto ip = header_of(frame);
  const std::size_t readable = frame.data_len - ethernet_header_size;
  return decide::judge(World(state, ingress), {.flow = packet::flow_of(ip, readable),
                                               .quoted = packet::related_flow(ip, readable),
                                               .datagram = decide::datagram_of(ip)});
}

bool is_unresolved(Verdict verdict) noexcept {
  return verdict.drop() == DropReason::neighbour_unresolved;
}

// An AF_XDP port's own address is steering's to know, which has let this packet pass: it was nobody's when the packet came. Now it
// needs the way that another port's address needs.
bool reaches_kernel(const Context& context) noexcept {
  const auto ways = decide::ways_to_kernel(context.state.host[context.ingress.port], context.state.exit_mtu);
  return ways.companion || ways.exit_mtu != 0;
}

// A port that has gone tells nobody anything, and what came by the exit is answered by the exit.
Diverted::Senders senders_of(const RxQueue& ingress, bool is_open, const ForwardingState& state) noexcept {
  return is_open && (!ingress.generated || state.exit_mtu != 0) ? Diverted::Senders::told
                                                                : Diverted::Senders::not_told;
}

// What the last stages need of a packet, in a burst of its own.
void make_burst(Burst& burst, rte_mbuf*& frame, const packet::OptionPolicy& options,
                nexthop::AdjacencyIndex index, const nexthop::Adjacency& adjacency) noexcept {
  const auto ip = header_of(*frame);
  const auto length = ip.total_length();
  burst.count = 1;
  burst.bytes = frame->pkt_len;
  burst.mbufs = &frame;
  burst.frames[0] = rte_pktmbuf_mtod(frame, std::uint8_t*);
  burst.sizes[0] = frame->pkt_len;
  burst.headers.lengths[0] = length;
  burst.adjacencies[0] = index;
  burst.rewrites[0] = &adjacency;
  burst.trailed = frame->pkt_len > packet::frame_size(length) ? bit(0) : 0;
  burst.to_fill =
      ip.header_size() > packet::ipv4_header_minimum && packet::examine_options(ip, options).to_fill ? bit(0)
                                                                                                     : 0;
  burst.egress = adjacency.port_bit;
}

// What has become of it since.
[[gnu::cold]] void tell(Tracing& tracing, const rte_mbuf* frame,
                        const decide::Decision<World>& decision) noexcept {
  tracing.judged(frame, decision.zone, decision.next_hop, decision.member);
  tracing.decided(frame, Verdict::forward());  // if nothing else was said
}

// As the pipeline would, had it been asked now.
void go_on(const Context& context, rte_mbuf* frame, const decide::Decision<World>& decision) noexcept {
  const auto kind = decision.verdict.kind();
  const bool in_fragments =
      kind == Verdict::Kind::forward_in_fragments || kind == Verdict::Kind::to_exit_in_fragments;
  const bool to_exit = kind == Verdict::Kind::to_exit || kind == Verdict::Kind::to_exit_in_fragments;
  if (kind == Verdict::Kind::to_kernel && !reaches_kernel(context)) {
    context.diverted.add(frame, DropReason::no_host_companion);
    return;
  }
  if (kind != Verdict::Kind::forward && !in_fragments && !to_exit) {
    context.diverted.add(frame, decision.verdict);
    return;
  }
  const auto& adjacency = context.state.next_hops->adjacency(*decision.member);
  Burst burst;
  make_burst(burst, frame, context.state.options, *decision.member, adjacency);
  if (context.state.clamping.ports != 0) {
    clamp_one(context, burst, 0, to_exit ? context.state.exit_port : adjacency.port);
  }
  if (in_fragments) {
    send_in_fragments(context, burst, 0, kind);
  } else if (to_exit) {
    context.diverted.add(frame, decision.verdict);
  } else {
    fill(context, burst);
    rewrite(burst);
    transmit(context, burst);
  }
}

}  // namespace

Waiting::Waiting(unsigned patience_ms) noexcept : patience_{rte_get_tsc_hz() / 1000 * patience_ms} {}

Waiting::~Waiting() {
  while (any()) {
    Neighbour& last = queues_[neighbours_ - 1];
    for (unsigned at = 0; at < last.count; ++at) {
      rte_pktmbuf_free(last.packets[at].frame);
    }
    --neighbours_;
  }
}

bool Waiting::keep(rte_mbuf* frame, std::uint32_t destination, const RxQueue& ingress) noexcept {
  const auto* const known =
      std::find(destinations_.begin(), destinations_.begin() + neighbours_, destination);
  const auto at = static_cast<unsigned>(known - destinations_.begin());
  if (at == most_neighbours || (at < neighbours_ && queues_[at].count == most_packets)) {
    return false;
  }
  if (at == neighbours_) {
    destinations_[at] = destination;
    queues_[at].since = rte_rdtsc();
    queues_[at].count = 0;
    ++neighbours_;
  }
  Neighbour& neighbour = queues_[at];
  neighbour.packets[neighbour.count++] = {frame, ingress};
  return true;
}

void Waiting::forget(unsigned at) noexcept {
  --neighbours_;
  destinations_[at] = destinations_[neighbours_];
  queues_[at] = queues_[neighbours_];
}

void Waiting::look(const ForwardingState& state, WorkerData& own) noexcept {
  const std::uint64_t now = rte_rdtsc();
  if (now < next_look_) {
    return;
  }
  next_look_ = now + rte_get_tsc_hz() / 1000;
  const BooksCheck check(own.counters, 0);
  unsigned may_end = most_ends;
  // From the last one on, whose place a forgotten one's is given to.
  for (unsigned at = neighbours_; may_end != 0 && at-- > 0;) {
    may_end -= look_at(at, now - queues_[at].since >= patience_, may_end, state, own);
    if (queues_[at].count == 0) {
      forget(at);
    }
  }
  if (any()) {
    own.wanted.note(destinations_[turn_++ % neighbours_]);
  }
}

unsigned Waiting::look_at(unsigned at, bool is_over, unsigned may_end, const ForwardingState& state,
                          WorkerData& own) noexcept {
  Neighbour& neighbour = queues_[at];
  const auto all = neighbour.packets;
  const unsigned count = std::exchange(neighbour.count, 0);
  unsigned ended = 0;
  for (unsigned i = 0; i < count; ++i) {
    const auto& [frame, ingress] = all[i];
    const bool is_open = runs(state.ports[ingress.port], own.index);
    decide::Decision<World> decision;
    decision.verdict = DropReason::neighbour_unresolved;
    if (is_open) {
      decision = decide_about(*frame, state, ingress.port);
    }
    if (ended == may_end || (is_open && !is_over && is_unresolved(decision.verdict))) {
      neighbour.packets[neighbour.count++] = all[i];
      continue;
    }
    ++ended;
    own.counters.ports[ingress.port].waiting.add(std::uint64_t{0} - 1);
    auto* const tracing = tracing_of(state, own.index);
    if (tracing != nullptr) {
      state.capture->trace(own.index, ingress, {&frame, 1});
    }
    Diverted diverted({.state = state, .ingress = ingress, .own = own}, senders_of(ingress, is_open, state));
    go_on({.state = state, .own = own, .ingress = ingress, .diverted = diverted}, frame, decision);
    diverted.settle();
    if (tracing != nullptr) {
      tell(*tracing, frame, decision);
      state.capture->judged(own.index, ingress.port);
    }
  }
  return ended;
}

}  // namespace sekisho::forward
