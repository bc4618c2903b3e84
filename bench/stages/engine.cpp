// SPDX-License-Identifier: BSD-3-Clause
#include "bench/stages/engine.hpp"

#include <emmintrin.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <tmmintrin.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "bench/require.hpp"
#include "bench/stages/circuit.hpp"
#include "bench/stages/clock.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/diverted.hpp"
#include "dataplane/forward/pipeline.hpp"
#include "dataplane/forward/stages.hpp"

namespace sekisho::bench {
namespace {

constexpr forward::ZoneIndex zone{1};

// With the vector instructions that testpmd's has on x86, and as many frames asked for ahead.
[[gnu::target("ssse3")]] void swap_macs(std::span<rte_mbuf*> frames) noexcept {
  constexpr std::size_t ahead = 4;
  const __m128i swapped = _mm_setr_epi8(6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15);
  for (std::size_t at = 0; at < frames.size(); ++at) {
    if (at + ahead < frames.size()) {
      rte_prefetch0(rte_pktmbuf_mtod(frames[at + ahead], void*));
    }
    auto* const header = rte_pktmbuf_mtod(frames[at], __m128i*);
    _mm_storeu_si128(header, _mm_shuffle_epi8(_mm_loadu_si128(header), swapped));
  }
}

nexthop::Adjacency make_adjacency() {
  nexthop::Adjacency adjacency;
  std::copy(station.begin(), station.end(), adjacency.stations.begin());
  std::copy(neighbour.begin(), neighbour.end(), adjacency.stations.begin() + station.size());
  adjacency.mtu = 1500;
  adjacency.port = 0;
  adjacency.action = nexthop::Action::forward;
  return adjacency;
}

}  // namespace

Appliance::Appliance(unsigned next_hops, unsigned members)
    : sources_{fib::Fib::create(qsbr_).value()}, table_{fib::Fib::create(qsbr_).value()} {
  std::vector<fib::Route> routes;
  for (std::uint32_t first = 1; first < 224; ++first) {
    routes.push_back({{first << 24, 8}, static_cast<fib::Value>(1 + first % next_hops)});
  }
  for (unsigned at = 0; at < next_hops; ++at) {
    std::vector<nexthop::Member> all;
    for (unsigned member = at * members; member < (at + 1) * members; ++member) {
      const auto adjacency = static_cast<nexthop::AdjacencyIndex>(nexthop::first_adjacency + member);
      next_hops_.set_adjacency(adjacency, make_adjacency());
      all.push_back({.address = 0x0a000200 + member, .adjacency = adjacency});
    }
    next_hops_.set_members(nexthop::NextHopIndex(1 + at), all);
  }
  require(table_->apply(routes));
  require(sources_->apply(std::vector<fib::Route>{{{0x0a00'0000, 8}, value_of(zone)}}));
  state_.sources = sources_.get();
  state_.next_hops = &next_hops_;
  state_.zone(zone) = {1, table_.get()};
}

std::uint64_t Appliance::run(std::size_t engine, std::uint16_t port, std::uint64_t packets,
                             unsigned burst) noexcept {
  state_.ports[0] = {port, 1};
  const forward::RxQueue ingress{.port = 0, .dpdk_port = port, .queue = 0, .station = station};
  const auto kind = engine_kinds[engine];
  const auto circulate = [&](auto work) {
    std::array<rte_mbuf*, forward::burst_capacity> received;
    const auto start = rte_rdtsc_precise();
    for (std::uint64_t done = 0; done < packets;) {
      stage_clock.start();
      const unsigned count = rte_eth_rx_burst(port, 0, received.data(), static_cast<std::uint16_t>(burst));
      if (count == 0) {
        break;  // all were lost: the circuit is not complete
      }
      work(std::span{received.data(), count});
      done += count;
    }
    return rte_rdtsc_precise() - start;
  };
  if (kind == "macswap") {
    return circulate([port](std::span<rte_mbuf*> frames) {
      swap_macs(frames);
      rte_eth_tx_burst(port, 0, frames.data(), static_cast<std::uint16_t>(frames.size()));
    });
  }
  if (kind == "options") {
    state_.host[0].address = 0x0a000204;
    circulate([&](std::span<rte_mbuf*> frames) {
      stage_clock.stop(Stage::receive);
      clocked_burst_with_options(ingress, frames);
    });
    return std::accumulate(stage_clock.ticks.begin(), stage_clock.ticks.end(), std::uint64_t{0});
  }
  state_.clamping.ports = kind == "clamping" ? 1 : 0;
  state_.clamping.by_mtu = state_.clamping.ports;
  if (kind == "sekisho" || kind == "clamping") {
    return circulate(
        [&](std::span<rte_mbuf*> frames) { forward::forward_burst(state_, *own_, ingress, frames); });
  }
  return circulate([&](std::span<rte_mbuf*> frames) {
    stage_clock.stop(Stage::receive);
    clocked_burst(ingress, frames);
  });
}

// As forward_burst() does.
void Appliance::clocked_burst(const forward::RxQueue& ingress, std::span<rte_mbuf*> received) noexcept {
  forward::Burst burst;
  burst.mbufs = received.data();
  burst.count = static_cast<unsigned>(received.size());
  forward::Diverted diverted{{.state = state_, .ingress = ingress, .own = *own_}};
  const forward::Context context{.state = state_, .own = *own_, .ingress = ingress, .diverted = diverted};
  forward::validate(context, burst);
  stage_clock.stop(Stage::validate);
  forward::admit(context, burst);
  stage_clock.stop(Stage::admit);
  forward::route(context, burst);
  stage_clock.stop(Stage::route);
  forward::resolve(context, burst);
  stage_clock.stop(Stage::resolve);
  if (burst.to_fill != 0) [[unlikely]] {
    forward::fill(context, burst);
  }
  stage_clock.stop(Stage::fill);
  forward::rewrite(burst);
  stage_clock.stop(Stage::rewrite);
  forward::transmit(context, burst);
  diverted.settle();
  stage_clock.stop(Stage::transmit);
}

// A record of routes is full after as many hops as it has room for. A ring's frames can be written after they were sent.
void Appliance::clocked_burst_with_options(const forward::RxQueue& ingress,
                                           std::span<rte_mbuf*> received) noexcept {
  struct Header {
    std::array<std::byte, Circuit::header_with_options> bytes;
  };
  std::array<Header*, forward::burst_capacity> headers;
  std::array<Header, forward::burst_capacity> before;
  for (std::size_t at = 0; at < received.size(); ++at) {
    headers[at] = rte_pktmbuf_mtod_offset(received[at], Header*, sizeof(rte_ether_hdr));
    before[at] = *headers[at];
  }
  stage_clock.start();
  clocked_burst(ingress, received);
  for (std::size_t at = 0; at < received.size(); ++at) {
    *headers[at] = before[at];
  }
}

}  // namespace sekisho::bench
