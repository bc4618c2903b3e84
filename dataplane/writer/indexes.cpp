// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/indexes.hpp"

#include <fmt/format.h>

namespace sekisho::writer {
namespace {

std::uint64_t forget(forward::Counter& counter) {
  const auto counted = counter.get();
  counter.add(std::uint64_t{0} - counted);
  return counted;
}

Totals forget(forward::Traffic& traffic) {
  return {forget(traffic.packets), forget(traffic.bytes)};
}

}  // namespace

auto take_index(const Live& live, IndexPool& pool, std::string_view what)
    -> tl::expected<unsigned, std::string> {
  if (const auto index = live.refuses() ? std::nullopt : pool.take()) {
    return *index;
  }
  return tl::unexpected(fmt::format(
      "more than {} {} would exist at once, old and new ones: remove some first", pool.capacity(), what));
}

void forget_port(Live& live, forward::PortIndex index) {
  for (auto* worker : live.workers) {
    auto& port = worker->mutable_counters().ports[index];
    forget(port.rx);
    forget(port.tx);
    forget(port.generated);
    forget(port.host);
    forget(port.waiting);
    for (auto& drop : port.drops) {
      forget(drop);
    }
    for (auto& error : port.icmp) {
      forget(error);
    }
    forget(port.icmp_limited);
    forget(port.fragmented);
    forget(port.fragments);
    forget(port.mss_clamped);
    forget(port.unfinished_checksums);
    worker->last_drops().forget(index);
  }
}

void forget_zone(Live& live, forward::ZoneIndex index) {
  for (auto* worker : live.workers) {
    forget(worker->mutable_counters().zones[value_of(index)]);
  }
}

void forget_adjacency(Live& live, nexthop::AdjacencyIndex index) {
  for (auto* worker : live.workers) {
    forget(worker->mutable_counters().adjacencies[index]);
  }
}

Totals forget_next_hop(Live& live, nexthop::NextHopIndex index) {
  Totals all;
  for (auto* worker : live.workers) {
    const auto counted = forget(worker->mutable_counters().next_hops[value_of(index)]);
    all.packets += counted.packets;
    all.bytes += counted.bytes;
  }
  return all;
}

}  // namespace sekisho::writer
