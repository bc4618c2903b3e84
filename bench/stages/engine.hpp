// SPDX-License-Identifier: BSD-3-Clause
// What the packets of a circuit pass through.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"

struct rte_mbuf;

namespace sekisho::bench {

// macswap   what testpmd's forwarder of that name does: it only swaps two addresses
// sekisho   the product's pipeline
// clocked   the same with a clock between the stages, which takes some time itself
// clamping  the pipeline where the port clamps what TCP says of its longest segment
// options   clocked, of packets of which each has its route recorded; before the next round they are as they were, off the clock
inline constexpr std::string_view engine_kinds[] = {"macswap", "sekisho", "clocked", "clamping", "options"};
inline constexpr std::size_t engine_count = std::size(engine_kinds);

// A table for a zone, and so many next hops over which public destinations are spread, each of so many members.
class Appliance {
 public:
  Appliance(unsigned next_hops, unsigned members);

  // `packets` of them by the port, `burst` at a time (at most burst_capacity), in the time that is returned: ticks of the time stamp
  // counter.
  std::uint64_t run(std::size_t engine, std::uint16_t port, std::uint64_t packets, unsigned burst) noexcept;

 private:
  void clocked_burst(const forward::RxQueue& ingress, std::span<rte_mbuf*> received) noexcept;
  void clocked_burst_with_options(const forward::RxQueue& ingress, std::span<rte_mbuf*> received) noexcept;

  fib::Qsbr qsbr_{1};
  nexthop::NextHopTable next_hops_{qsbr_};
  std::unique_ptr<fib::Fib> sources_;
  std::unique_ptr<fib::Fib> table_;
  forward::ForwardingState state_;
  std::unique_ptr<forward::WorkerData> own_ = std::make_unique<forward::WorkerData>();
};

}  // namespace sekisho::bench
