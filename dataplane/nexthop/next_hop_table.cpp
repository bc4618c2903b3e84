// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nexthop/next_hop_table.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace sekisho::nexthop {
namespace {

// Where every unset index leads; no table owns them.
constexpr Adjacency unset_adjacency{.action = Action::no_route};

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

auto all_flows(AdjacencyIndex adjacency, packet::HashBy hash_by = {}) -> NextHopPointer {
  return NextHop::make(std::span{&adjacency, 1}, hash_by);
}

auto for_workers(const Adjacency& given) -> Adjacency {
  Adjacency adjacency = given;
  const bool sends = adjacency.action == Action::forward;
  adjacency.mtu = sends ? adjacency.mtu : std::uint16_t{0};
  adjacency.port_bit = sends ? 1U << adjacency.port : 0;
  return adjacency;
}

void release(fib::Qsbr& qsbr, const Adjacency* old) {
  if (old != &unset_adjacency) {
    qsbr.retire([old] { delete old; });
  }
}

void publish(fib::Qsbr& qsbr, std::atomic<const Adjacency*>& slot, const Adjacency& value) {
  const Adjacency* const old = slot.load(std::memory_order_relaxed);
  if (*old == value) {
    return;
  }
  slot.store(value == unset_adjacency ? &unset_adjacency : new Adjacency(value), std::memory_order_release);
  release(qsbr, old);
}

[[maybe_unused]] bool is_given_out(NextHopIndex index) {
  return value_of(index) != fib::no_route && value_of(index) < max_next_hops;
}

auto configured(const std::vector<Member>& members) -> std::vector<decide::Member> {
  std::vector<decide::Member> result;
  for (const auto& member : members) {
    if (result.empty() || result.back().address != member.address) {
      result.push_back({member.address, member.weight});
    }
  }
  return result;
}

}  // namespace

NextHopTable::NextHopTable(fib::Qsbr& qsbr)
    : qsbr_{qsbr},
      unset_{all_flows(no_route_adjacency)},
      neighbours_(max_adjacencies),
      groups_(max_next_hops) {
  for (auto& slot : next_hops_) {
    slot.store(unset_.get(), std::memory_order_relaxed);
  }
  for (auto& slot : adjacencies_) {
    slot.store(&unset_adjacency, std::memory_order_relaxed);
  }
  const auto set = [&](AdjacencyIndex index, Action action) {
    nexthop::publish(qsbr_, adjacencies_[index], Adjacency{.action = action});
  };
  set(drop_adjacency, Action::drop);
  set(host_adjacency, Action::host);
  set(group_down_adjacency, Action::group_down);
  set(exit_adjacency, Action::exit);
  set(connected_adjacency, Action::connected);
}

NextHopTable::~NextHopTable() {
  for (unsigned index = 0; index < max_next_hops; ++index) {
    clear(NextHopIndex{static_cast<fib::Value>(index)});
  }
  for (auto& slot : adjacencies_) {
    release(qsbr_, slot.load(std::memory_order_relaxed));
  }
  // A reader may still have the one that every index leads to.
  qsbr_.retire([unset = std::shared_ptr<const NextHop>(std::move(unset_))] {});
}

void NextHopTable::publish(NextHopIndex index, NextHopPointer next_hop) {
  auto& slot = next_hops_[value_of(index)];
  const NextHop* const old = slot.load(std::memory_order_relaxed);
  if (*old == *next_hop) {
    return;
  }
  const auto count = [](const NextHop& each) {
    return each.hash_by() == packet::HashBy::addresses ? 1U : 0U;
  };
  by_addresses_.fetch_add(count(*next_hop), std::memory_order_relaxed);  // as long as a reader can meet it
  slot.store(*next_hop == *unset_ ? unset_.get() : next_hop.release(), std::memory_order_release);
  by_addresses_.fetch_sub(count(*old), std::memory_order_release);  // no sooner
  if (old != unset_.get()) {
    qsbr_.retire([old] { FreeNextHop{}(old); });
  }
}

// An address on two ports is the lower one's while that lives.
auto NextHopTable::living(const Group& group) const -> Living {
  Living living;
  unsigned position = 0;
  const Member* before = nullptr;
  for (const auto& member : group.members) {
    position += before != nullptr && before->address != member.address ? 1 : 0;
    before = &member;
    if (member.drained || !neighbours_[member.adjacency].alive) {
      continue;
    }
    auto& adjacency = living.adjacencies[position];
    const auto bit = decide::MemberMask{1} << position;
    if ((living.mask & bit) == 0 || neighbours_[member.adjacency].port < neighbours_[adjacency].port) {
      living.mask |= bit;
      adjacency = member.adjacency;
    }
  }
  return living;
}

auto NextHopTable::preferences_of(const Group& group) -> std::shared_ptr<const decide::Preferences> {
  auto members = configured(group.members);
  if (const auto known = preferences_[members].lock()) {
    return known;
  }
  if (preferences_.size() >= max_next_hops) {
    std::erase_if(preferences_, [](const auto& entry) { return entry.second.expired(); });
  }
  auto made = std::make_shared<const decide::Preferences>(members);
  preferences_[members] = made;
  return made;
}

auto NextHopTable::place(Group& group) -> NextHopPointer {
  const Living alive = living(group);
  if (alive.mask == 0) {
    return all_flows(group_down_adjacency, group.hash_by);
  }
  if (std::has_single_bit(alive.mask)) {
    return all_flows(alive.adjacencies[static_cast<unsigned>(std::countr_zero(alive.mask))], group.hash_by);
  }
  if (group.preferences == nullptr) {
    group.preferences = preferences_of(group);
  }
  const auto& preferences = *group.preferences;
  std::vector<AdjacencyIndex> buckets(preferences.buckets());
  for (unsigned bucket = 0; bucket < preferences.buckets(); ++bucket) {
    buckets[bucket] = alive.adjacencies[preferences.choose(bucket, alive.mask)];
  }
  return NextHop::make(buckets, group.hash_by);
}

void NextHopTable::place_groups_of(AdjacencyIndex adjacency) {
  for (unsigned index = 0; index < max_next_hops; ++index) {
    if (std::ranges::find(groups_[index].members, adjacency, &Member::adjacency) !=
        groups_[index].members.end()) {
      publish(NextHopIndex{static_cast<fib::Value>(index)}, place(groups_[index]));
    }
  }
}

void NextHopTable::set_adjacency(AdjacencyIndex index, const Adjacency& adjacency) {
  assert(index >= first_adjacency && index < max_adjacencies);
  const Neighbour before = neighbours_[index];
  const Neighbour after{.port = adjacency.port, .alive = adjacency.action == Action::forward};
  neighbours_[index] = after;
  // Flows leave a dying member before it refuses packets, and come to a new one when it accepts them.
  if (before.alive && !after.alive) {
    place_groups_of(index);
  }
  nexthop::publish(qsbr_, adjacencies_[index], for_workers(adjacency));
  if (after.alive && after != before) {
    place_groups_of(index);
  }
}

void NextHopTable::clear_adjacency(AdjacencyIndex index) {
  set_adjacency(index, unset_adjacency);
}

void NextHopTable::set_action(NextHopIndex index, Action action) {
  assert(is_given_out(index));
  groups_[value_of(index)] = {};
  publish(index, all_flows(adjacency_of(action)));
}

void NextHopTable::set_members(NextHopIndex index, std::span<const Member> members, packet::HashBy hash_by) {
  assert(is_given_out(index));
  Group group{.members = {members.begin(), members.end()}, .hash_by = hash_by, .preferences = nullptr};
  std::ranges::sort(group.members);
  const auto repeated = std::ranges::unique(group.members);
  group.members.erase(repeated.begin(), repeated.end());
  assert(configured(group.members).size() <= decide::max_members);
  if (configured(group.members) == configured(groups_[value_of(index)].members)) {
    group.preferences = groups_[value_of(index)].preferences;
  }
  groups_[value_of(index)] = std::move(group);
  publish(index, place(groups_[value_of(index)]));
}

void NextHopTable::clear(NextHopIndex index) {
  groups_[value_of(index)] = {};
  publish(index, all_flows(no_route_adjacency));
}

unsigned NextHopTable::alive_members(NextHopIndex index) const {
  return static_cast<unsigned>(std::popcount(living(groups_[value_of(index)]).mask));
}

}  // namespace sekisho::nexthop
