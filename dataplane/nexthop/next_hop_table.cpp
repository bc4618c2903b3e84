// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nexthop/next_hop_table.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <tuple>

namespace sekisho::nexthop {
namespace {

// Where every unset index leads; no table owns them.
constexpr Adjacency unset_adjacency{.action = Action::no_route};
constexpr NextHop unset_next_hop{};

// Of a next hop without members.
auto adjacency_of(Action action) -> AdjacencyIndex {
  switch (action) {
    case Action::host:
      return host_adjacency;
    case Action::exit:
      return exit_adjacency;
    case Action::connected:
      return connected_adjacency;
    default:
      assert(action == Action::drop);
      return drop_adjacency;
  }
}

auto all_buckets(AdjacencyIndex adjacency) -> NextHop {
  NextHop next_hop;
  next_hop.buckets.fill(adjacency);
  return next_hop;
}

auto for_workers(const Adjacency& given) -> Adjacency {
  Adjacency adjacency = given;
  const bool sends = adjacency.action == Action::forward;
  adjacency.mtu = sends ? adjacency.mtu : std::uint16_t{0};
  adjacency.port_bit = sends ? 1U << adjacency.port : 0;
  return adjacency;
}

template <typename T>
void release(fib::Qsbr& qsbr, const T* old, const T& unset) {
  if (old != &unset) {
    qsbr.retire([old] { delete old; });
  }
}

template <typename T>
void publish(fib::Qsbr& qsbr, std::atomic<const T*>& slot, const T& value, const T& unset) {
  const T* const old = slot.load(std::memory_order_relaxed);
  if (*old == value) {
    return;
  }
  slot.store(value == unset ? &unset : new T(value), std::memory_order_release);
  release(qsbr, old, unset);
}

[[maybe_unused]] bool is_given_out(NextHopIndex index) {
  return value_of(index) != fib::no_route && value_of(index) < max_next_hops;
}

}  // namespace

NextHopTable::NextHopTable(fib::Qsbr& qsbr)
    : qsbr_{qsbr}, neighbours_(max_adjacencies), members_(max_next_hops) {
  for (unsigned i = 0; i < max_next_hops; ++i) {
    next_hops_[i].store(&unset_next_hop, std::memory_order_relaxed);
  }
  for (unsigned i = 0; i < max_adjacencies; ++i) {
    adjacencies_[i].store(&unset_adjacency, std::memory_order_relaxed);
  }
  publish(qsbr_, adjacencies_[drop_adjacency], Adjacency{.action = Action::drop}, unset_adjacency);
  publish(qsbr_, adjacencies_[host_adjacency], Adjacency{.action = Action::host}, unset_adjacency);
  publish(qsbr_, adjacencies_[group_down_adjacency], Adjacency{.action = Action::group_down},
          unset_adjacency);
  publish(qsbr_, adjacencies_[exit_adjacency], Adjacency{.action = Action::exit}, unset_adjacency);
  publish(qsbr_, adjacencies_[connected_adjacency], Adjacency{.action = Action::connected}, unset_adjacency);
}

NextHopTable::~NextHopTable() {
  for (unsigned i = 0; i < max_next_hops; ++i) {
    release(qsbr_, next_hops_[i].load(std::memory_order_relaxed), unset_next_hop);
  }
  for (unsigned i = 0; i < max_adjacencies; ++i) {
    release(qsbr_, adjacencies_[i].load(std::memory_order_relaxed), unset_adjacency);
  }
}

auto NextHopTable::place(std::span<const AdjacencyIndex> members) const -> NextHop {
  std::vector<AdjacencyIndex> alive;
  std::copy_if(members.begin(), members.end(), std::back_inserter(alive),
               [this](AdjacencyIndex member) { return neighbours_[member].alive; });
  if (alive.empty()) {
    return all_buckets(group_down_adjacency);
  }
  // Equal scores go to the first: an order that does not depend on how the members were named. Only an
  // address that stands on two ports ever has them.
  std::sort(alive.begin(), alive.end(), [this](AdjacencyIndex left, AdjacencyIndex right) {
    const Neighbour& a = neighbours_[left];
    const Neighbour& b = neighbours_[right];
    return std::tie(a.address, a.port, left) < std::tie(b.address, b.port, right);
  });
  if (alive.size() == 1) {
    return all_buckets(alive.front());
  }
  NextHop next_hop;
  for (unsigned bucket = 0; bucket < decide::buckets; ++bucket) {
    next_hop.buckets[bucket] =
        *decide::choose(alive, bucket, [this](AdjacencyIndex member) { return neighbours_[member].address; });
  }
  return next_hop;
}

void NextHopTable::place_groups_of(AdjacencyIndex member) {
  for (unsigned index = 0; index < max_next_hops; ++index) {
    const auto& members = members_[index];
    if (std::find(members.begin(), members.end(), member) != members.end()) {
      publish(qsbr_, next_hops_[index], place(members), unset_next_hop);
    }
  }
}

void NextHopTable::set_adjacency(AdjacencyIndex index, const Adjacency& adjacency) {
  assert(index >= first_adjacency && index < max_adjacencies);
  const Neighbour before = neighbours_[index];
  const Neighbour after{
      .address = adjacency.address, .port = adjacency.port, .alive = adjacency.action == Action::forward};
  neighbours_[index] = after;
  // Flows leave a dying member before it refuses packets, and come to a new one when it accepts them.
  if (before.alive && !after.alive) {
    place_groups_of(index);
  }
  publish(qsbr_, adjacencies_[index], for_workers(adjacency), unset_adjacency);
  if (after.alive && after != before) {
    place_groups_of(index);
  }
}

void NextHopTable::clear_adjacency(AdjacencyIndex index) {
  set_adjacency(index, unset_adjacency);
}

void NextHopTable::set_action(NextHopIndex index, Action action) {
  assert(is_given_out(index));
  members_[value_of(index)].clear();
  publish(qsbr_, next_hops_[value_of(index)], all_buckets(adjacency_of(action)), unset_next_hop);
}

void NextHopTable::set_members(NextHopIndex index, std::span<const AdjacencyIndex> members) {
  assert(is_given_out(index));
  auto& own = members_[value_of(index)];
  own.assign(members.begin(), members.end());
  std::sort(own.begin(), own.end());
  own.erase(std::unique(own.begin(), own.end()), own.end());
  publish(qsbr_, next_hops_[value_of(index)], place(own), unset_next_hop);
}

void NextHopTable::clear(NextHopIndex index) {
  members_[value_of(index)].clear();
  publish(qsbr_, next_hops_[value_of(index)], unset_next_hop, unset_next_hop);
}

unsigned NextHopTable::alive_members(NextHopIndex index) const {
  const auto& members = members_[value_of(index)];
  return static_cast<unsigned>(std::count_if(
      members.begin(), members.end(), [this](AdjacencyIndex member) { return neighbours_[member].alive; }));
}

}  // namespace sekisho::nexthop
