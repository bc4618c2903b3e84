// SPDX-License-Identifier: BSD-3-Clause
// Next-hop groups: flows spread over the living members, stay where they are, and return the way they went.
#include <random>
#include <set>

#include "tests/packet/lab.hpp"
#include "tests/unit/nexthop/members.hpp"

namespace sekisho::test {
namespace {

constexpr unsigned member_count = 4;

class Group : public testing::Test {
 protected:
  Group() {
    for (AdjacencyIndex i = 0; i < member_count; ++i) {
      lab().set_member(member(i), 0x0a000220U + i, true);
      members_.push_back(member(i));
    }
    set_members(members_);
    std::mt19937 random(6);
    for (unsigned i = 0; i < 2000; ++i) {
      const auto draw = static_cast<std::uint32_t>(random());
      flows_.push_back(Packet()
                           .from(0xac140000U | (draw & 0xffff))
                           .to(0x08090000U | (draw >> 16))
                           .tcp(static_cast<std::uint16_t>(random()), 443));
    }
  }
  ~Group() override {
    lab().next_hops.clear(group);
    for (AdjacencyIndex i = 0; i < member_count; ++i) {
      lab().next_hops.clear_adjacency(member(i));
    }
    expect_all_accounted(lab());
  }

  static void set_members(const std::vector<AdjacencyIndex>& members,
                          packet::HashBy hash_by = packet::HashBy::five_tuple) {
    lab().next_hops.set_members(group, nexthop::test::members_of(lab().next_hops, members), hash_by);
  }

  static AdjacencyIndex member(unsigned i) { return static_cast<AdjacencyIndex>(first_group_member + i); }

  // The member that each packet leaves to, by the last byte of its MAC; 0: dropped.
  static std::vector<AdjacencyIndex> ways_of(PortIndex in, const std::vector<Packet>& packets) {
    std::vector<AdjacencyIndex> ways;
    for (std::size_t at = 0; at < packets.size(); at += 64) {
      const std::size_t end = std::min(at + 64, packets.size());
      for (std::size_t i = at; i < end; ++i) {
        lab().send(in, Packet(packets[i]).id(static_cast<std::uint16_t>(i)).bytes());
      }
      lab().poll();
      std::vector<AdjacencyIndex> burst(end - at, 0);
      for (const Bytes& frame : lab().sent(egress)) {
        burst.at(frame[18] * 256U + frame[19] - at) = frame[5];
      }
      ways.insert(ways.end(), burst.begin(), burst.end());
    }
    return ways;
  }

  std::vector<AdjacencyIndex> ways() const { return ways_of(lan, flows_); }

  std::vector<AdjacencyIndex> members_;
  std::vector<Packet> flows_;
};

TEST_F(Group, UsesEveryMemberAlike) {
  std::map<AdjacencyIndex, unsigned> load;
  for (const AdjacencyIndex way : ways()) {
    ++load[way];
  }
  EXPECT_EQ(load.size(), member_count);
  for (unsigned i = 0; i < member_count; ++i) {
    EXPECT_GT(load[member(i)], flows_.size() / member_count * 6 / 10) << "member " << i;
  }
}

TEST_F(Group, TakesAFlowTheSameWayEachTimeAndBack) {
  std::mt19937 random(6);
  std::vector<Packet> back;
  for (unsigned i = 0; i < flows_.size(); ++i) {
    const auto draw = static_cast<std::uint32_t>(random());
    back.push_back(Packet()
                       .to(0xac140000U | (draw & 0xffff))
                       .from(0x08090000U | (draw >> 16))
                       .tcp(443, static_cast<std::uint16_t>(random())));
  }
  const auto there = ways();
  EXPECT_EQ(ways(), there);
  EXPECT_EQ(ways_of(egress, back), there);
}

TEST_F(Group, ADeadMemberMovesOnlyItsOwnFlows) {
  const auto before = ways();
  for (unsigned dead = 0; dead < member_count; ++dead) {
    lab().set_member(member(dead), 0x0a000220U + dead, false);
    const auto during = ways();
    std::set<AdjacencyIndex> refuge;
    for (std::size_t i = 0; i < before.size(); ++i) {
      ASSERT_NE(during[i], 0) << "flow " << i << " was dropped";
      ASSERT_NE(during[i], member(dead));
      if (before[i] == member(dead)) {
        refuge.insert(during[i]);
      } else {
        ASSERT_EQ(during[i], before[i]) << "flow " << i << " moved without need";
      }
    }
    EXPECT_EQ(refuge.size(), member_count - 1) << "the dead member's flows go to one neighbour only";
    lab().set_member(member(dead), 0x0a000220U + dead, true);
    EXPECT_EQ(ways(), before) << "its return brings back what was its own";
  }
}

TEST_F(Group, WithoutALivingMemberDrops) {
  for (unsigned i = 0; i < member_count; ++i) {
    lab().set_member(member(i), 0x0a000220U + i, false);
  }
  lab().check({"all dead", lan, flows_[0].bytes(), DropReason::next_hop_down, {}});
  lab().set_member(member(2), 0x0a000222U, true);
  lab().check({"one returns", lan, flows_[0].bytes(), Forwarded{egress}, forwarded_to(member(2), flows_[0])});
}

TEST_F(Group, KeepsTheFragmentsOfADatagramTogether) {
  for (std::size_t i = 0; i < 200; ++i) {
    // The bytes where ports would be differ: in a later fragment they are the payload's.
    std::vector<Packet> fragments = {Packet(flows_[i]).fragment(0x2000),
                                     Packet(flows_[i]).udp(1, 2).protocol(6).fragment(0x2010),
                                     Packet(flows_[i]).udp(3, 4).protocol(6).fragment(0x0020)};
    const auto taken = ways_of(lan, fragments);
    ASSERT_NE(taken[0], 0);
    EXPECT_EQ(taken[1], taken[0]);
    EXPECT_EQ(taken[2], taken[0]);
  }
}

// Somebody on the flow's way has dropped a packet of it, and says so to its sender. Ports and addresses of the outer header say
// nothing of the flow: a stateful firewall would drop the error.
TEST_F(Group, TakesAnErrorToTheMemberOfTheFlowThatItQuotes) {
  for (const bool by_addresses : {false, true}) {
    set_members(members_, by_addresses ? packet::HashBy::addresses : packet::HashBy::five_tuple);
    const auto expected = ways();
    for (const unsigned type : {3U, 4U, 5U, 11U, 12U}) {
      std::vector<Packet> errors;
      for (const auto& flow : flows_) {
        errors.push_back(Packet().from("172.31.0.9").to("8.9.255.1").icmp_error(type, flow));
      }
      EXPECT_EQ(ways_of(lan, errors), expected) << "type " << type;
    }
  }
}

TEST_F(Group, ByAddressesKeepsAllTogetherThatTwoHostsSay) {
  set_members(members_, packet::HashBy::addresses);
  std::map<AdjacencyIndex, unsigned> load;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::vector<Packet> packets = {
        Packet(flows_[i]),
        Packet(flows_[i]).udp(500, 500),
        Packet(flows_[i]).udp(4500, 4500).fragment(0x2000),
        Packet(flows_[i]).udp(1, 2).fragment(0x0020),
        Packet(flows_[i]).protocol(50),
        Packet(flows_[i]).protocol(1),
    };
    const auto taken = ways_of(lan, packets);
    ASSERT_NE(taken[0], 0);
    EXPECT_EQ(taken, std::vector<AdjacencyIndex>(packets.size(), taken[0]));
    ++load[taken[0]];
  }
  EXPECT_EQ(load.size(), member_count);
}

// A burst of packets to next hops of either kind.
TEST_F(Group, HashesEachPacketAsItsOwnNextHopWants) {
  const auto by_flow = ways();
  set_members(members_, packet::HashBy::addresses);
  const auto by_addresses = ways();
  EXPECT_NE(by_flow, by_addresses);
  std::vector<Packet> mixed;
  std::vector<AdjacencyIndex> expected;
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    mixed.push_back(i % 3 == 0 ? Packet(flows_[i]).to("1.1.1.1") : flows_[i]);
    if (i % 3 != 0) {
      expected.push_back(by_addresses[i]);
    }
  }
  const auto taken = ways_of(lan, mixed);
  std::vector<AdjacencyIndex> of_group;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (i % 3 != 0) {
      of_group.push_back(taken[i]);
    }
  }
  EXPECT_EQ(of_group, expected);
}

TEST_F(Group, SpreadsOneHostsConnectionsByPort) {
  std::vector<Packet> connections;
  for (std::uint16_t port = 32768; port < 33768; ++port) {
    connections.push_back(Packet().from("172.20.0.1").to("8.9.0.1").udp(port, 443));
  }
  std::map<AdjacencyIndex, unsigned> load;
  for (const AdjacencyIndex way : ways_of(lan, connections)) {
    ++load[way];
  }
  EXPECT_EQ(load.size(), member_count);
}

}  // namespace
}  // namespace sekisho::test
