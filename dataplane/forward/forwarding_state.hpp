// SPDX-License-Identifier: BSD-3-Clause
// Everything a worker reads to decide about a packet. The writer builds a new one when ports or zones change,
// swaps the pointer (see Worker) and frees the old one after a grace period; tables and next hops change in place, as
// their own headers describe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "common/base/mac_address.hpp"
#include "dataplane/decide/answer.hpp"
#include "dataplane/decide/verdict.hpp"
#include "dataplane/fib/fib.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/packet/mss.hpp"
#include "dataplane/packet/options.hpp"

struct rte_ring;

namespace sekisho::forward {

using decide::Action;
using decide::drop_reason_count;
using decide::DropReason;
using decide::HostPort;
using decide::Verdict;

inline constexpr unsigned max_ports = 32;
inline constexpr unsigned max_zones = 255;
inline constexpr unsigned max_workers = 16;

// What the table of sources gives: 1..max_zones; 0: no zone.
enum class ZoneIndex : fib::Value {};
inline constexpr ZoneIndex own_sources{max_zones + 1};  // instead of a zone: this appliance's own addresses
[[nodiscard]] constexpr fib::Value value_of(ZoneIndex zone) noexcept {
  return static_cast<fib::Value>(zone);
}
using nexthop::NextHopIndex;
using nexthop::value_of;

class Capture;

using PortIndex = std::uint8_t;  // 0..max_ports-1, ours, not DPDK's
using PortMask = std::uint32_t;  // bit i: port index i
static_assert(max_ports <= 8 * sizeof(PortMask));

struct Zone {
  PortMask ports = 0;               // that may carry its sources
  const fib::Fib* table = nullptr;  // where its packets may go; without one: nowhere
  friend bool operator==(const Zone&, const Zone&) = default;
};

struct EgressPort {
  std::uint16_t dpdk_port = 0;
  std::uint16_t tx_queues = 0;  // 0: the port does not run; worker w transmits on queue w
  friend bool operator==(const EgressPort&, const EgressPort&) = default;
};

// What TCP may say on its way of the longest segment that it takes: the least that either port of the way asks for. A port that
// clamps does so for what comes by it and for what goes by it, since each end of a connection is told by the other.
struct MssClamping {
  static constexpr std::uint16_t no_limit = 0xffff;

  PortMask ports = 0;                         // that clamp
  PortMask by_mtu = 0;                        // of these: to what the smaller MTU of both ports takes
  std::array<std::uint16_t, max_ports> most;  // of the others: to this; no_limit where a port does not
  std::array<std::uint16_t, max_ports> mtus;  // of all that run

  constexpr MssClamping() noexcept {
    most.fill(no_limit);
    mtus.fill(no_limit);
  }
  [[nodiscard]] constexpr std::uint16_t most_between(PortIndex in, PortIndex out) const noexcept {
    const bool takes_mtus = ((by_mtu >> in | by_mtu >> out) & 1) != 0;
    const auto taken = static_cast<std::uint16_t>(std::min(mtus[in], mtus[out]) - packet::mss_overhead);
    return std::min({most[in], most[out], takes_mtus ? taken : no_limit});
  }
  friend bool operator==(const MssClamping&, const MssClamping&) = default;
};

// What is asked for every burst stands first, on one cache line.
struct alignas(64) ForwardingState {
  const fib::Fib* sources = nullptr;                 // source address -> ZoneIndex; never null once published
  const nexthop::NextHopTable* next_hops = nullptr;  // never null once published
  const Capture* capture = nullptr;                  // while somebody looks on
  MssClamping clamping;
  std::array<Zone, max_zones + 1> zones{};  // by ZoneIndex; [0] has no ports and is never looked up
  std::array<EgressPort, max_ports> ports{};
  std::array<HostPort, max_ports> host{};
  std::uint16_t exit_mtu = 0;  // of what the kernel masquerades and sends out; 0: there is no exit
  PortIndex exit_port = 0;     // by which that leaves
  decide::IcmpPolicy icmp;
  packet::OptionPolicy options;

  [[nodiscard]] const Zone& zone(ZoneIndex index) const noexcept { return zones[value_of(index)]; }
  [[nodiscard]] Zone& zone(ZoneIndex index) noexcept { return zones[value_of(index)]; }
  friend bool operator==(const ForwardingState&, const ForwardingState&) = default;
};

// What one worker polls.
struct RxQueue {
  PortIndex port = 0;
  std::uint16_t dpdk_port = 0;
  std::uint16_t queue = 0;
  base::MacAddress station{};  // the port's own; all zero: the device has none, and takes every frame
  bool generated = false;      // by this appliance's kernel: not what the port received
  friend bool operator==(const RxQueue&, const RxQueue&) = default;
};

// What the kernel sends, for one worker: by a port as it is, or by the exit, to be judged as if the port had received it.
struct HostQueue {
  RxQueue port;
  rte_ring* ring = nullptr;
  bool judged = false;
  friend bool operator==(const HostQueue&, const HostQueue&) = default;
};

}  // namespace sekisho::forward
