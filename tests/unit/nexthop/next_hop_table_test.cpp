// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nexthop/next_hop_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "tests/unit/nexthop/members.hpp"

namespace sekisho::nexthop {
namespace {

using ::testing::Each;

constexpr std::uint32_t firewall = 0x0a00020a;  // 10.0.2.10, the first of the members
constexpr unsigned buckets = 1024;              // of up to four members

Adjacency neighbour(std::uint32_t address, Action action = Action::forward) {
  Adjacency adjacency{.mtu = 1500, .port = 1, .action = action, .address = address};
  adjacency.stations = {0x02, 0, 0, 0, 0, static_cast<std::uint8_t>(address), 0x02, 0, 0, 0, 0, 1};
  return adjacency;
}

class NextHopTableTest : public ::testing::Test {
 protected:
  // `count` members with ascending indexes and addresses.
  std::vector<AdjacencyIndex> add_members(unsigned count, AdjacencyIndex first = first_adjacency) {
    std::vector<AdjacencyIndex> members;
    for (unsigned i = 0; i < count; ++i) {
      members.push_back(static_cast<AdjacencyIndex>(first + i));
      table.set_adjacency(members.back(), neighbour(firewall + i));
    }
    return members;
  }

  void set_alive(AdjacencyIndex member, bool alive) {
    table.set_adjacency(
        member, neighbour(table.adjacency(member).address, alive ? Action::forward : Action::unresolved));
  }

  [[nodiscard]] std::array<std::uint32_t, buckets> placement(NextHopIndex index) const {
    std::array<std::uint32_t, buckets> addresses{};
    for (std::uint32_t hash = 0; hash < buckets; ++hash) {
      addresses[hash] = table.adjacency(table.next_hop(index).choose(hash)).address;
    }
    return addresses;
  }

  [[nodiscard]] std::map<std::uint32_t, int> shares(NextHopIndex index) const {
    std::map<std::uint32_t, int> shares;
    for (const std::uint32_t address : placement(index)) {
      ++shares[address];
    }
    return shares;
  }

  void set_members(NextHopIndex index, const std::vector<AdjacencyIndex>& adjacencies) {
    table.set_members(index, test::members_of(table, adjacencies));
  }

  [[nodiscard]] Action action(NextHopIndex index, std::uint32_t hash = 0) const {
    return table.adjacency(table.next_hop(index).choose(hash)).action;
  }

  fib::Qsbr qsbr{2};
  NextHopTable table{qsbr};
};

TEST_F(NextHopTableTest, EveryIndexAnswersFromTheStart) {
  for (unsigned index = 0; index < max_next_hops; ++index) {
    ASSERT_EQ(action(NextHopIndex(index), 77), Action::no_route);
  }
  EXPECT_EQ(table.adjacency(no_route_adjacency).action, Action::no_route);
  EXPECT_EQ(table.adjacency(drop_adjacency).action, Action::drop);
  EXPECT_EQ(table.adjacency(host_adjacency).action, Action::host);
  EXPECT_EQ(table.adjacency(group_down_adjacency).action, Action::group_down);
  EXPECT_EQ(table.adjacency(exit_adjacency).action, Action::exit);
  EXPECT_EQ(table.adjacency(connected_adjacency).action, Action::connected);
  EXPECT_EQ(table.adjacency(first_adjacency).action, Action::no_route);
  EXPECT_EQ(table.adjacency(max_adjacencies - 1).action, Action::no_route);
}

TEST_F(NextHopTableTest, AnActionLeadsAllFlowsToItsOwnAdjacency) {
  table.set_action(NextHopIndex{1}, Action::drop);
  table.set_action(NextHopIndex{2}, Action::host);
  table.set_action(NextHopIndex{3}, Action::exit);
  table.set_action(NextHopIndex{4}, Action::connected);
  for (const std::uint32_t hash : {0U, 1U, 255U, 0xffffffffU}) {
    EXPECT_EQ(table.next_hop(NextHopIndex{1}).choose(hash), drop_adjacency);
    EXPECT_EQ(table.next_hop(NextHopIndex{2}).choose(hash), host_adjacency);
    EXPECT_EQ(table.next_hop(NextHopIndex{3}).choose(hash), exit_adjacency);
    EXPECT_EQ(table.next_hop(NextHopIndex{4}).choose(hash), connected_adjacency);
  }
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 0U);
  EXPECT_EQ(table.alive_members(NextHopIndex{4}), 0U);
}

TEST_F(NextHopTableTest, ASingleMemberTakesAllFlows) {
  set_members(NextHopIndex{1}, add_members(1));
  for (std::uint32_t hash = 0; hash < buckets; ++hash) {
    EXPECT_EQ(table.next_hop(NextHopIndex{1}).choose(0xdeadbe00 + hash), first_adjacency);
  }
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 1U);
  EXPECT_EQ(table.adjacency(first_adjacency).address, firewall);
  EXPECT_EQ(table.adjacency(first_adjacency).stations, neighbour(firewall).stations);
}

TEST_F(NextHopTableTest, WhatSendsNothingTakesNoLengthAndNamesNoPort) {
  for (const Action action : {Action::unresolved, Action::no_route, Action::drop, Action::host}) {
    table.set_adjacency(first_adjacency, neighbour(firewall, Action::forward));
    EXPECT_EQ(table.adjacency(first_adjacency).mtu, 1500);
    EXPECT_EQ(table.adjacency(first_adjacency).port_bit, 0b10U);
    table.set_adjacency(first_adjacency, neighbour(firewall, action));
    const Adjacency& dead = table.adjacency(first_adjacency);
    EXPECT_EQ(dead.mtu, 0);
    EXPECT_EQ(dead.port_bit, 0U);
    table.set_adjacency(first_adjacency, neighbour(firewall, action));
    EXPECT_EQ(&table.adjacency(first_adjacency), &dead) << "what it already is publishes nothing";
  }
  for (const AdjacencyIndex special :
       {no_route_adjacency, drop_adjacency, host_adjacency, group_down_adjacency, exit_adjacency,
        connected_adjacency, AdjacencyIndex{77}}) {
    EXPECT_EQ(table.adjacency(special).mtu, 0) << special;
    EXPECT_EQ(table.adjacency(special).port_bit, 0U) << special;
  }
}

TEST_F(NextHopTableTest, ADeadSingleMemberIsADeadNextHop) {
  set_members(NextHopIndex{1}, add_members(1));
  set_alive(first_adjacency, false);
  EXPECT_EQ(action(NextHopIndex{1}), Action::group_down);
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 0U);
  set_alive(first_adjacency, true);
  EXPECT_EQ(action(NextHopIndex{1}), Action::forward);
}

TEST_F(NextHopTableTest, AMemberThatWasNeverSetIsDead) {
  table.set_members(NextHopIndex{1}, std::vector{Member{.address = firewall, .adjacency = 40}});
  EXPECT_EQ(action(NextHopIndex{1}), Action::group_down);
  table.set_adjacency(40, neighbour(firewall));
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).choose(0), 40);
}

TEST_F(NextHopTableTest, FlowsSpreadOverTheMembers) {
  for (const unsigned count : {2U, 3U, 4U, 8U, 16U}) {
    const auto members = add_members(count);
    set_members(NextHopIndex{1}, members);
    EXPECT_EQ(table.alive_members(NextHopIndex{1}), count);
    const auto all = table.next_hop(NextHopIndex{1}).buckets();
    const auto fair = static_cast<std::ptrdiff_t>(all.size() / count);
    for (const auto member : members) {
      EXPECT_GE(std::ranges::count(all, member), fair) << count << " members";
      EXPECT_LE(std::ranges::count(all, member), fair + 1) << count << " members";
    }
  }
}

TEST_F(NextHopTableTest, WhenAMemberDiesOnlyItsFlowsMove) {
  const auto members = add_members(5);
  set_members(NextHopIndex{1}, members);
  const auto before = placement(NextHopIndex{1});
  for (const AdjacencyIndex dead : members) {
    const std::uint32_t dead_address = table.adjacency(dead).address;
    set_alive(dead, false);
    EXPECT_EQ(table.alive_members(NextHopIndex{1}), 4U);
    const auto after = placement(NextHopIndex{1});
    std::map<std::uint32_t, int> heirs;
    for (unsigned bucket = 0; bucket < buckets; ++bucket) {
      EXPECT_NE(after[bucket], dead_address);
      if (before[bucket] != dead_address) {
        EXPECT_EQ(after[bucket], before[bucket]);
      } else {
        ++heirs[after[bucket]];
      }
    }
    EXPECT_EQ(heirs.size(), 4U) << "the others share what the dead one had";
    set_alive(dead, true);
    EXPECT_EQ(placement(NextHopIndex{1}), before) << "and only its own flows come back";
  }
}

TEST_F(NextHopTableTest, AGroupIsDownWhenAllAreDead) {
  const auto members = add_members(3);
  set_members(NextHopIndex{1}, members);
  const auto before = placement(NextHopIndex{1});
  for (const AdjacencyIndex member : members) {
    EXPECT_EQ(action(NextHopIndex{1}), Action::forward);
    set_alive(member, false);
  }
  EXPECT_THAT(table.next_hop(NextHopIndex{1}).buckets(), Each(group_down_adjacency));
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 0U);
  set_alive(members[1], true);
  EXPECT_THAT(placement(NextHopIndex{1}), Each(firewall + 1));
  set_alive(members[0], true);
  set_alive(members[2], true);
  EXPECT_EQ(placement(NextHopIndex{1}), before);
}

TEST_F(NextHopTableTest, OrderAndRepetitionOfMembersDoNotMatter) {
  auto members = add_members(4);
  set_members(NextHopIndex{1}, members);
  const auto expected = placement(NextHopIndex{1});
  std::mt19937 random{1};
  for (int i = 0; i < 20; ++i) {
    std::shuffle(members.begin(), members.end(), random);
    set_members(NextHopIndex{1}, members);
    EXPECT_EQ(placement(NextHopIndex{1}), expected);
  }
  members.push_back(members.front());
  set_members(NextHopIndex{1}, members);
  EXPECT_EQ(placement(NextHopIndex{1}), expected);
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 4U);
}

TEST_F(NextHopTableTest, AnotherApplianceChoosesAlike) {
  set_members(NextHopIndex{1}, add_members(3));
  NextHopTable other{qsbr};
  const std::vector<Member> members{{firewall, 900}, {firewall + 2, 20}, {firewall + 1, 31}};
  other.set_adjacency(20, neighbour(firewall + 2));
  other.set_adjacency(900, neighbour(firewall));
  other.set_members(NextHopIndex{7}, members);  // in whatever order
  other.set_adjacency(31, neighbour(firewall + 1));
  const auto expected = placement(NextHopIndex{1});
  for (std::uint32_t hash = 0; hash < buckets; ++hash) {
    EXPECT_EQ(other.adjacency(other.next_hop(NextHopIndex{7}).choose(hash)).address, expected[hash]);
  }
}

// Two appliances of different versions stand side by side during an upgrade: the placement may not change.
TEST_F(NextHopTableTest, ThePlacementIsFixedForever) {
  set_members(NextHopIndex{1}, add_members(3));
  const std::vector<unsigned> expected{0, 1, 2, 1, 0, 0, 0, 2, 2, 0, 0, 2, 2, 1, 0, 1};
  const auto actual = placement(NextHopIndex{1});
  for (std::size_t bucket = 0; bucket < expected.size(); ++bucket) {
    EXPECT_EQ(actual[bucket], firewall + expected[bucket]) << "bucket " << bucket;
  }
}

TEST_F(NextHopTableTest, AnAddressOnTwoPortsIsOneOfThemAtATime) {
  auto adjacency = neighbour(firewall);
  adjacency.port = 9;
  table.set_adjacency(10, adjacency);
  adjacency.port = 3;
  table.set_adjacency(11, adjacency);
  set_members(NextHopIndex{1}, {10, 11});
  EXPECT_THAT(table.next_hop(NextHopIndex{1}).buckets(), Each(11)) << "the lower port, whatever its index";
  set_alive(11, false);
  EXPECT_THAT(table.next_hop(NextHopIndex{1}).buckets(), Each(10));
}

// Who can be reached has no say in who has which flow.
TEST_F(NextHopTableTest, AMemberThatNoPortLeadsToKeepsItsPlace) {
  set_members(NextHopIndex{1}, add_members(3));
  const auto all = placement(NextHopIndex{1});
  set_alive(first_adjacency + 2, false);
  const auto without_it = placement(NextHopIndex{1});
  table.set_members(NextHopIndex{1}, std::vector<Member>{{firewall, first_adjacency},
                                                         {firewall + 1, first_adjacency + 1},
                                                         {.address = firewall + 2}});
  EXPECT_EQ(placement(NextHopIndex{1}), without_it);
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 2U);
  set_alive(first_adjacency + 2, true);
  set_members(NextHopIndex{1}, {first_adjacency, first_adjacency + 1, first_adjacency + 2});
  EXPECT_EQ(placement(NextHopIndex{1}), all);
}

TEST_F(NextHopTableTest, ADrainedMemberIsLikeADeadOne) {
  auto members = test::members_of(table, add_members(3));
  table.set_members(NextHopIndex{1}, members);
  const auto all = placement(NextHopIndex{1});
  members[1].drained = true;
  table.set_members(NextHopIndex{1}, members);
  const auto drained = placement(NextHopIndex{1});
  EXPECT_EQ(table.alive_members(NextHopIndex{1}), 2U);
  members[1].drained = false;
  table.set_members(NextHopIndex{1}, members);
  EXPECT_EQ(placement(NextHopIndex{1}), all);
  set_alive(members[1].adjacency, false);
  EXPECT_EQ(placement(NextHopIndex{1}), drained);
  for (auto& member : members) {
    member.drained = true;
  }
  table.set_members(NextHopIndex{1}, members);
  EXPECT_EQ(action(NextHopIndex{1}), Action::group_down);
}

TEST_F(NextHopTableTest, WeightsAreShares) {
  auto members = test::members_of(table, add_members(2));
  members[1].weight = 3;
  table.set_members(NextHopIndex{1}, members);
  EXPECT_EQ(shares(NextHopIndex{1}), (std::map<std::uint32_t, int>{{firewall, 256}, {firewall + 1, 768}}));
}

TEST_F(NextHopTableTest, TellsByWhatItHashes) {
  set_members(NextHopIndex{1}, add_members(2));
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).hash_by(), packet::HashBy::five_tuple);
  const auto members =
      test::members_of(table, std::vector<AdjacencyIndex>{first_adjacency, first_adjacency + 1});
  table.set_members(NextHopIndex{1}, members, packet::HashBy::addresses);
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).hash_by(), packet::HashBy::addresses);
  EXPECT_TRUE(table.any_by_addresses());
  set_alive(first_adjacency, false);
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).hash_by(), packet::HashBy::addresses);
  table.set_members(NextHopIndex{1}, members);
  EXPECT_FALSE(table.any_by_addresses());
}

// There may be thousands of next hops, most of them of one member.
TEST_F(NextHopTableTest, HasAsManyBucketsAsItNeeds) {
  EXPECT_EQ(table.next_hop(NextHopIndex{9}).buckets().size(), 1U);
  const auto members = add_members(64);
  set_members(NextHopIndex{1}, {members[0]});
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).buckets().size(), 1U);
  set_members(NextHopIndex{1}, {members[0], members[1]});
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).buckets().size(), 1024U);
  set_members(NextHopIndex{1}, members);
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).buckets().size(), 16384U);
}

TEST_F(NextHopTableTest, WhatIsEqualIsNotPublished) {
  const auto members = add_members(3);
  set_members(NextHopIndex{1}, members);
  table.set_action(NextHopIndex{2}, Action::drop);
  qsbr.synchronize();
  const NextHop* const group = &table.next_hop(NextHopIndex{1});
  const NextHop* const drop = &table.next_hop(NextHopIndex{2});
  const Adjacency* const member = &table.adjacency(first_adjacency);
  set_members(NextHopIndex{1}, members);
  table.set_action(NextHopIndex{2}, Action::drop);
  table.set_adjacency(first_adjacency, neighbour(firewall));
  table.clear(NextHopIndex{3});
  EXPECT_EQ(&table.next_hop(NextHopIndex{1}), group);
  EXPECT_EQ(&table.next_hop(NextHopIndex{2}), drop);
  EXPECT_EQ(&table.adjacency(first_adjacency), member);
  EXPECT_EQ(qsbr.pending(), 0U);
}

TEST_F(NextHopTableTest, ANewMacChangesTheAdjacencyAndNoGroup) {
  set_members(NextHopIndex{1}, add_members(3));
  const NextHop* const group = &table.next_hop(NextHopIndex{1});
  auto adjacency = neighbour(firewall);
  adjacency.stations[0] = 0x06;
  table.set_adjacency(first_adjacency, adjacency);
  EXPECT_EQ(&table.next_hop(NextHopIndex{1}), group);
  EXPECT_EQ(table.adjacency(first_adjacency).stations, adjacency.stations);
}

TEST_F(NextHopTableTest, ANextHopMayBecomeAnythingElse) {
  const auto members = add_members(2);
  set_members(NextHopIndex{1}, members);
  table.set_action(NextHopIndex{1}, Action::host);
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).choose(3), host_adjacency);
  set_alive(members[0], false);
  EXPECT_EQ(table.next_hop(NextHopIndex{1}).choose(3), host_adjacency) << "it has no members any more";
  set_members(NextHopIndex{1}, members);
  EXPECT_THAT(placement(NextHopIndex{1}), Each(firewall + 1));
  table.set_action(NextHopIndex{1}, Action::connected);
  EXPECT_EQ(action(NextHopIndex{1}), Action::connected);
  table.clear(NextHopIndex{1});
  EXPECT_EQ(action(NextHopIndex{1}), Action::no_route);
  set_alive(members[0], true);
  EXPECT_EQ(action(NextHopIndex{1}), Action::no_route);
  table.clear_adjacency(members[0]);
  EXPECT_EQ(table.adjacency(members[0]).action, Action::no_route);
}

TEST_F(NextHopTableTest, WhatIsReplacedLivesThroughTheGracePeriod) {
  set_members(NextHopIndex{1}, add_members(2));
  qsbr.synchronize();
  qsbr.online(0);
  const NextHop& seen = table.next_hop(NextHopIndex{1});
  const Adjacency& seen_adjacency = table.adjacency(first_adjacency);
  const std::vector<AdjacencyIndex> copy(seen.buckets().begin(), seen.buckets().end());
  const Adjacency adjacency_copy = seen_adjacency;
  set_alive(first_adjacency, false);
  qsbr.poll();
  EXPECT_THAT(seen.buckets(), ::testing::ElementsAreArray(copy));
  EXPECT_EQ(seen_adjacency, adjacency_copy);
  EXPECT_GT(qsbr.pending(), 0U);
  qsbr.quiescent(0);
  qsbr.poll();
  EXPECT_EQ(qsbr.pending(), 0U);
  qsbr.offline(0);
}

// Members die and return one after the other under two readers, never all of them: every flow always has a
// member that is alive, or was a moment ago, and an adjacency is read whole or not at all.
TEST_F(NextHopTableTest, ReadersAlwaysFindALivingMember) {
  constexpr unsigned readers = 2;
  constexpr unsigned count = 3;
  const auto members = add_members(count);
  set_members(NextHopIndex{1}, members);
  std::atomic<bool> stop{false};
  std::atomic<unsigned> running{0};
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937 random{reader};
      qsbr.online(reader);
      running.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed) && !HasFailure()) {
        const AdjacencyIndex chosen =
            table.next_hop(NextHopIndex{1}).choose(static_cast<std::uint32_t>(random()));
        EXPECT_TRUE(std::find(members.begin(), members.end(), chosen) != members.end()) << chosen;
        const Adjacency& adjacency = table.adjacency(chosen);
        EXPECT_EQ(adjacency.address, firewall + chosen - first_adjacency);
        EXPECT_EQ(adjacency.stations[4], adjacency.stations[10]) << "both carry the number of the change";
        qsbr.quiescent(reader);
      }
      qsbr.offline(reader);
    });
  }
  while (running.load() < readers) {
    std::this_thread::yield();
  }
  for (unsigned change = 0; change < 6'000; ++change) {
    const AdjacencyIndex member = members[change / 2 % count];
    auto adjacency =
        neighbour(table.adjacency(member).address, change % 2 == 0 ? Action::unresolved : Action::forward);
    adjacency.stations[4] = adjacency.stations[10] = static_cast<std::uint8_t>(change);
    table.set_adjacency(member, adjacency);
    qsbr.poll();
  }
  stop.store(true);
  for (auto& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace sekisho::nexthop
