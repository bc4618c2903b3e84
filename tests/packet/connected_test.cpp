// SPDX-License-Identifier: BSD-3-Clause
// A connected route (10.2/16, from on-premises): its packets are dropped, and the destinations that they wanted are told,
// those and no others.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "common/base/prefix.hpp"
#include "dataplane/forward/wanted.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using Addresses = std::set<std::uint32_t>;

std::uint32_t ip(std::string_view text) {
  return base::parse_address(text).value();
}

Addresses taken(forward::Wanted& wanted) {
  Addresses all;
  wanted.take([&](std::uint32_t destination) {
    EXPECT_TRUE(all.insert(destination).second) << base::address_to_string(destination) << " is told twice";
  });
  return all;
}

class Connected : public testing::Test {
 protected:
  Connected() { taken(lab().worker->wanted()); }
  ~Connected() override { expect_all_accounted(lab()); }

  static Addresses told() { return taken(lab().worker->wanted()); }
  static void drop(const std::string& why, PortIndex in, const Packet& packet, DropReason reason) {
    lab().check({why, in, packet.bytes(), reason, {}});
  }
};

TEST_F(Connected, APacketIsDroppedAndItsDestinationToldOnce) {
  drop("the first one", lan, packet().to("10.2.0.5"), DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip("10.2.0.5")});
  EXPECT_EQ(told(), Addresses{}) << "it has been taken";
  for (unsigned i = 0; i < 100; ++i) {
    drop("still nobody answers", lan, packet().to("10.2.0.5").udp(static_cast<std::uint16_t>(i), 53),
         DropReason::neighbour_unresolved);
  }
  EXPECT_EQ(told(), Addresses{ip("10.2.0.5")});
}

TEST_F(Connected, WhateverElseKeepsThePacketFromLeaving) {
  drop("longer than any port's MTU", lan, packet().to("10.2.0.7").size(9000),
       DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip("10.2.0.7")});
}

TEST_F(Connected, NothingElseIsTold) {
  drop("a source of no zone", lan, packet().from("9.9.9.9").to("10.2.0.5"), DropReason::unknown_source);
  drop("a spoofed source", egress, packet().to("10.2.0.5"), DropReason::spoofed_source);
  drop("another zone's table", spoke, packet().from("10.0.5.5").to("10.2.0.5"), DropReason::no_route);
  drop("a wrong checksum", lan, packet().to("10.2.0.5").checksum(1), DropReason::bad_checksum);
  drop("a route of type None", lan, packet().to("10.1.0.1"), DropReason::null_route);
  drop("no living member", lan, packet().to("203.0.113.1"), DropReason::next_hop_down);
  drop("no route", lan, packet().to("198.18.0.1"), DropReason::no_route);
  drop("the TTL of what would ask", lan, packet().to("10.2.0.6").ttl(1), DropReason::ttl_expired);
  drop("the TTL of what has an adjacency", lan, packet().to("10.0.5.5").ttl(1), DropReason::ttl_expired);
  const Packet transit = packet().to("10.0.5.5");
  lab().check({"transit", lan, transit.bytes(), Forwarded{spoke}, forwarded_to(vnet_router, transit)});
  const auto asked = decided(lab().state, ip("172.16.0.1"), ip("10.2.0.5"), lan);
  EXPECT_EQ(asked.verdict.drop(), DropReason::neighbour_unresolved) << "an operator's question is no packet";
  EXPECT_EQ(told(), Addresses{});
}

// Where earlier stages closed gaps, a destination still is its own packet's.
TEST_F(Connected, AmongOthersInABurst) {
  const auto connected = [](unsigned i) { return ip("10.2.7.0") + i; };
  constexpr unsigned count = 64;
  Addresses expected;
  const auto dropped = lab().drops(lan, DropReason::neighbour_unresolved);
  for (unsigned i = 0; i < count; ++i) {
    switch (i % 5) {
      case 0:
        lab().send(lan, packet().from("9.9.9.9").to(connected(i)).bytes());  // unknown source
        break;
      case 1:
        lab().send(lan, packet().to("10.0.5.5").bytes());  // transit
        break;
      case 2:
        lab().send(lan, packet().from("10.0.5.5").to(connected(i)).bytes());  // another zone: no route
        break;
      case 3:
        lab().send(lan, packet().to("10.1.0.1").bytes());  // a route of type None
        break;
      default:
        lab().send(lan, packet().to(connected(i)).bytes());
        expected.insert(connected(i));
    }
  }
  EXPECT_EQ(lab().poll(), count);
  EXPECT_EQ(told(), expected);
  EXPECT_EQ(lab().drops(lan, DropReason::neighbour_unresolved), dropped + expected.size());
  EXPECT_EQ(lab().sent(spoke).size(), 13U);
}

TEST_F(Connected, AllOfA24AreToldAtOnce) {
  Addresses expected;
  for (std::uint32_t host = 0; host < 256; ++host) {
    expected.insert(ip("10.2.1.0") + host);
    lab().send(lan, packet().to(ip("10.2.1.0") + host).bytes());
    lab().poll();
  }
  EXPECT_EQ(told(), expected);
}

TEST_F(Connected, OfTwoWithOneSlotTheLaterIsToldAndTheOtherMayAskAgain) {
  constexpr auto first = "10.2.0.2", second = "10.2.1.3";
  ASSERT_EQ(forward::Wanted::slot_of(ip(first)), forward::Wanted::slot_of(ip(second)));
  drop("the first", lan, packet().to(first), DropReason::neighbour_unresolved);
  drop("the second", lan, packet().to(second), DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip(second)});
  drop("the first again", lan, packet().to(first), DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip(first)});
}

// What control does about it.
TEST_F(Connected, ANeighboursOwnRouteForwards) {
  const Packet in = packet().to("10.2.0.5");
  drop("before", lan, in, DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip("10.2.0.5")});
  const base::Prefix host{ip("10.2.0.5"), 32};
  ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{host, value_of(vnet)}}));
  lab().check({"resolved", lan, in.bytes(), Forwarded{spoke}, forwarded_to(vnet_router, in)});
  EXPECT_EQ(told(), Addresses{});
  drop("its neighbour", lan, packet().to("10.2.0.6"), DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip("10.2.0.6")});
  ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{host, fib::no_route}}));
  drop("gone again", lan, in, DropReason::neighbour_unresolved);
  EXPECT_EQ(told(), Addresses{ip("10.2.0.5")});
}

TEST_F(Connected, EachWorkerNotesItsOwn) {
  forward::Worker one{lab().qsbr, {.index = 0}}, two{lab().qsbr, {.index = 1}};
  const auto receive = [](forward::Worker& worker, std::string_view destination) {
    worker.set_state(&lab().state);
    worker.set_queues(&lab().queues);
    lab().send(lan, packet().to(destination).bytes());
    EXPECT_EQ(worker.poll_once(), 1U);
  };
  receive(one, "10.2.0.5");
  receive(two, "10.2.0.5");
  receive(two, "10.2.0.6");
  EXPECT_EQ(taken(one.wanted()), Addresses{ip("10.2.0.5")});
  EXPECT_EQ(taken(two.wanted()), (Addresses{ip("10.2.0.5"), ip("10.2.0.6")})) << "none takes another's";
  EXPECT_EQ(told(), Addresses{});
  constexpr auto unresolved = static_cast<std::size_t>(DropReason::neighbour_unresolved);
  EXPECT_EQ(one.counters().ports[lan].drops[unresolved].get(), 1U);
  EXPECT_EQ(two.counters().ports[lan].drops[unresolved].get(), 2U);
  EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
}

// Taken while it is written: nothing is told that was not noted, and what was noted last in a slot is never lost.
TEST(Wanted, IsTakenWhileAWorkerNotes) {
  constexpr std::uint32_t base = 0x0a020000, count = 1000;
  using Slots = std::array<std::uint32_t, forward::Wanted::slots>;
  Slots expected{};
  for (std::uint32_t i = 0; i < count; ++i) {
    expected[forward::Wanted::slot_of(base + i)] = base + i;
  }
  for (int round = 0; round < 20; ++round) {
    forward::Wanted wanted;
    Slots last{};
    const auto take = [&] {
      wanted.take([&](std::uint32_t destination) {
        ASSERT_TRUE(destination >= base && destination < base + count) << destination;
        last[forward::Wanted::slot_of(destination)] = destination;
        std::this_thread::yield();  // the worker notes while one is being told
      });
    };
    std::atomic<bool> done{false};
    std::thread worker([&] {
      for (std::uint32_t i = 0; i < 20 * count; ++i) {
        wanted.note(base + i % count);
        if (i % 100 == 0) {
          std::this_thread::yield();  // both may be on one CPU
        }
      }
      done.store(true);
    });
    while (!done.load()) {
      take();
    }
    worker.join();
    take();
    ASSERT_EQ(last, expected);
  }
}

}  // namespace
}  // namespace sekisho::test
