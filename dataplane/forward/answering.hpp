// SPDX-License-Identifier: BSD-3-Clause
// A worker's ICMP errors: who is told that a packet goes no further, how often, and by what way. Entered for packets that are
// dropped, never for one that is forwarded.
//
// An error goes back out of the port where the packet came in, to the station that sent it, from that port's primary address. It
// needs no lookup, and no zone has to allow it: whoever could send us the packet can be told of it, and nobody else is. What
// the kernel gave us by the exit goes back to the kernel, whose masquerading leads it to the sender. There the exit's address stands
// for the packet's receiver, and the error comes from that receiver: by the time it leaves, the kernel has put the exit port's
// address in its place; one of our own the kernel would take for a martian.
//
// An error is a packet more: the one that it is about stays dropped, by its reason, and this one is counted as generated.
//
// Its limits are the worker's own, since workers share nothing: so many a second, and so many of these to each source prefix. Either
// is one number, the time at which a new error would be right on schedule (GCRA); a second's worth may come at once.
// Prefixes share 1,024 such numbers by a hash: one that floods takes a few others' share, and there is nothing to forget or to fill.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/decide/answer.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/forwarding_state.hpp"

struct rte_mbuf;

namespace sekisho::forward {

struct WorkerData;

class Answering {
 public:
  // What is needed of a burst.
  struct Place {
    const ForwardingState& state;
    const RxQueue& ingress;
    WorkerData& own;
  };

  // Of a frame as it came, which is dropped; the caller keeps it. `mtu`: of its next hop, for fragmentation_needed. Whether its
  // sender will be told.
  [[gnu::cold]] bool answer(const Place& place, const rte_mbuf& frame, packet::IcmpError error,
                            std::uint16_t mtu) noexcept;
  // The burst's, at its end.
  void send(const Place& place) noexcept {
    if (count_ != 0) {
      send_all(place);
    }
  }

 private:
  [[gnu::cold]] void send_all(const Place& place) noexcept;
  // Takes one of what is left, of both limits.
  [[nodiscard]] bool may_say(const decide::IcmpLimits& limits, std::uint32_t to) noexcept;

  unsigned count_ = 0;
  std::array<rte_mbuf*, burst_capacity> errors_;  // one a packet of the burst at most
  std::uint64_t due_ = 0;                         // TSC cycles
  std::array<std::uint64_t, 1024> due_by_source_{};
};

}  // namespace sekisho::forward
