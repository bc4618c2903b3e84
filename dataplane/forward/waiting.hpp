// SPDX-License-Identifier: BSD-3-Clause
// Packets to hosts on a port's subnet whose MAC address is not known yet: a few of each are kept until it is, for as long as the
// patience lasts. RFC 1122, 2.3.2.2: "The link layer SHOULD save (rather than discard) at least one (the latest) packet of each set of
// packets destined to the same unresolved IP address, and transmit the saved packet when the address has been resolved." These are the
// first few, not the latest: what begins a conversation is worth more than what a flood adds, and a flood to an absent host then
// costs a comparison a packet.
//
// A packet waits as it came, and what it is waiting for is a route: control has the kernel resolve the destination (wanted.hpp), and
// installs a /32 for who answers. So a worker that keeps packets asks of each, once a millisecond, what becomes of it now, by the
// same questions as an operator does (decide/decide.hpp): tables, zones and ports may have changed meanwhile. Whatever the answer is
// then happens to the packet. What waits goes in the order in which it came, and before what the same poll receives; what comes between the
// answer and the next look goes before it. One whose patience is over is dropped as neighbour_unresolved, and its sender may be told
// that the host is unreachable. Each look also names one of the destinations again, in turn: another of the same slot may have been
// named in its place, or the kernel have given up.
//
// A scan of a /16 would keep every buffer of the pool: a worker keeps packets for `most_neighbours` destinations, and drops what
// is beyond as neighbour_queue_full. `most_ends` of them end in one look: each may be answered by ICMP, and what is received
// meanwhile is not to wait for all. Members of next hops have no such queue: control has the kernel keep them resolved whether there
// is traffic or not, and a next hop that is down is to be answered at once.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/forwarding_state.hpp"

struct rte_mbuf;

namespace sekisho::forward {

struct WorkerData;

class Waiting {
 public:
  static constexpr unsigned most_neighbours = 64;
  static constexpr unsigned most_packets = 4;  // of each
  static constexpr unsigned most_ends = 16;    // in one look

  // For so many milliseconds packets wait; 0: none does.
  explicit Waiting(unsigned patience_ms) noexcept;
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] bool has_patience() const noexcept { return patience_ != 0; }
  [[nodiscard]] bool any() const noexcept { return neighbours_ != 0; }

  // A frame as it came by `ingress`. False: there is no room, and it stays the caller's.
  [[nodiscard]] [[gnu::cold]] bool keep(rte_mbuf* frame, std::uint32_t destination,
                                        const RxQueue& ingress) noexcept;
  // Lets go on what need not wait any more. Between two bursts, as often as the worker likes.
  [[gnu::cold]] void look(const ForwardingState& state, WorkerData& own) noexcept;

 private:
  struct Packet {
    rte_mbuf* frame;
    RxQueue ingress;
  };
  struct Neighbour {
    std::uint64_t since = 0;  // TSC, of the first packet
    unsigned count = 0;
    std::array<Packet, most_packets> packets;
  };

  // How many of its packets ended, of `may_end` at most.
  unsigned look_at(unsigned at, bool is_over, unsigned may_end, const ForwardingState& state,
                   WorkerData& own) noexcept;
  void forget(unsigned at) noexcept;

  std::uint64_t patience_;  // TSC cycles
  std::uint64_t next_look_ = 0;
  unsigned turn_ = 0;        // whose it is to be named
  unsigned neighbours_ = 0;  // the first so many of both
  std::array<std::uint32_t, most_neighbours> destinations_;
  std::array<Neighbour, most_neighbours> queues_;
};

}  // namespace sekisho::forward
