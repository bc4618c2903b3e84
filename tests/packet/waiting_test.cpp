// SPDX-License-Identifier: BSD-3-Clause
// Packets to hosts of a connected route (10.2/16, from on-premises) that nobody has resolved yet: a few wait. A worker of the
// test's own over the lab's ports and tables, with patience.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "common/base/prefix.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

constexpr unsigned long_enough = 60'000, soon_over = 20;  // ms
constexpr const char* host = "10.2.0.5";

struct HostRing {
  explicit HostRing(const char* name) : ring(rte_ring_create(name, 8, SOCKET_ID_ANY, 0)) {}
  ~HostRing() { rte_ring_free(ring); }
  rte_ring* ring;
};

class Waits : public testing::Test {
 protected:
  Waits() { be_patient(long_enough); }
  ~Waits() override {
    resolve_again(fib::no_route);
    worker_.reset();
    EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
  }

  void be_patient(unsigned milliseconds) {
    worker_ = std::make_unique<forward::Worker>(
        lab().qsbr, forward::Worker::Options{.index = 0, .patience_ms = milliseconds});
    worker_->set_state(&state_);
    worker_->set_queues(&lab().queues);
  }

  void receive(const Packet& packet, PortIndex in = lan) {
    lab().send(in, packet.bytes());
    EXPECT_EQ(worker_->poll_once(), 1U);
  }
  [[nodiscard]] const forward::PortCounters& counted(PortIndex port) const {
    return worker_->counters().ports[port];
  }
  [[nodiscard]] std::uint64_t waiting(PortIndex port = lan) const { return counted(port).waiting.get(); }
  [[nodiscard]] std::uint64_t drops(DropReason reason, PortIndex port = lan) const {
    return counted(port).drops[static_cast<std::size_t>(reason)].get();
  }
  // Polls until nothing waits any more, for ten seconds at most.
  void until_none_waits() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (waiting() != 0 && std::chrono::steady_clock::now() < end) {
      worker_->poll_once();
    }
    EXPECT_EQ(waiting(), 0U);
  }
  static void resolve(std::string_view destination, NextHopIndex next_hop) {
    const base::Prefix prefix{base::parse_address(destination).value(), 32};
    ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{prefix, value_of(next_hop)}}));
  }
  static void resolve_again(fib::Value next_hop) {
    const base::Prefix prefix{base::parse_address(host).value(), 32};
    ASSERT_TRUE(lab().tables[0]->apply(std::vector<fib::Route>{{prefix, next_hop}}));
  }
  // Every frame that came is in one place.
  void expect_balance() const {
    std::uint64_t in = 0;
    std::uint64_t ended = 0;
    for (const auto& port : worker_->counters().ports) {
      in += port.rx.packets.get() + port.generated.packets.get();
      ended += port.tx.packets.get() + port.host.get() + port.waiting.get();
      for (const auto& drop : port.drops) {
        ended += drop.get();
      }
    }
    EXPECT_EQ(in, ended);
  }

  forward::ForwardingState state_ = lab().state;
  std::unique_ptr<forward::Worker> worker_;
};

TEST_F(Waits, UntilItsNeighbourIsKnown) {
  const Packet in = packet().to(host);
  receive(in);
  EXPECT_EQ(waiting(), 1U);
  expect_balance();
  for (unsigned i = 0; i < 1000; ++i) {
    worker_->poll_once();
  }
  EXPECT_EQ(waiting(), 1U) << "nobody has answered";
  unsigned told = 0;
  worker_->wanted().take([&](std::uint32_t) { ++told; });
  EXPECT_EQ(told, 1U) << "it is asked for";
  resolve(host, vnet);
  until_none_waits();
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, in)});
  EXPECT_EQ(counted(spoke).tx.packets.get(), 1U);
  EXPECT_EQ(counted(spoke).tx.bytes.get(), in.bytes().size());
  EXPECT_EQ(worker_->counters().adjacencies[vnet_router].packets.get(), 1U);
  EXPECT_EQ(worker_->counters().zones[value_of(onprem_zone)].packets.get(), 1U) << "it came once";
  expect_balance();
}

TEST_F(Waits, SomeOfEachInTheirOrder) {
  std::vector<Bytes> expected;
  for (std::uint16_t i = 0; i < 10; ++i) {
    const Packet in = packet().to(host).id(i);
    receive(in);
    if (i < forward::Waiting::most_packets) {
      expected.push_back(forwarded_to(vnet_router, in));
    }
  }
  EXPECT_EQ(waiting(), forward::Waiting::most_packets);
  EXPECT_EQ(drops(DropReason::neighbour_queue_full), 10 - forward::Waiting::most_packets);
  expect_balance();
  resolve(host, vnet);
  until_none_waits();
  EXPECT_EQ(lab().sent(spoke), expected);
}

TEST_F(Waits, ForSoManyNeighbours) {
  const auto first = base::parse_address("10.2.9.0").value();
  for (std::uint32_t i = 0; i < forward::Waiting::most_neighbours + 5; ++i) {
    receive(packet().to(first + i));
  }
  EXPECT_EQ(waiting(), forward::Waiting::most_neighbours);
  EXPECT_EQ(drops(DropReason::neighbour_queue_full), 5U);
  receive(packet().to(first));
  EXPECT_EQ(waiting(), forward::Waiting::most_neighbours + 1) << "one more of a known one has room";
  expect_balance();
}

TEST_F(Waits, NotForEver) {
  be_patient(soon_over);
  state_.icmp.limits = {.rate = 1000, .rate_per_source = 1000};
  state_.icmp.set(DropReason::neighbour_unresolved, packet::IcmpError::host_unreachable);
  state_.host[lan].address = 0x0a000104;
  receive(packet().to(host));
  receive(packet().to(host));
  until_none_waits();
  EXPECT_EQ(drops(DropReason::neighbour_unresolved), 2U);
  const auto told = lab().sent(lan);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0][34], 3) << "RFC 792: destination unreachable";
  EXPECT_EQ(told[0][35], 1) << "host";
  expect_balance();
  receive(packet().to(host));
  EXPECT_EQ(waiting(), 1U) << "its place is free again";
  expect_balance();
}

// Judged as it is then, not as it came.
TEST_F(Waits, ByTheTablesOfThatTime) {
  const auto after = [&](const char* why, NextHopIndex next_hop, const Packet& in, DropReason reason) {
    SCOPED_TRACE(why);
    const auto before = drops(reason);
    receive(in);
    EXPECT_EQ(waiting(), 1U);
    resolve(host, next_hop);
    until_none_waits();
    EXPECT_EQ(drops(reason), before + 1);
    resolve_again(fib::no_route);
    expect_balance();
  };
  after("a route of type None", none, packet().to(host), DropReason::null_route);
  after("nobody who lives", down, packet().to(host), DropReason::next_hop_down);
  after("too long, and not to be fragmented", narrow_hop, packet().to(host).size(1000).fragment(0x4000),
        DropReason::mtu_exceeded);
  EXPECT_EQ(lab().sent(spoke).size(), 0U);
}

// RFC 1812, 5.3.1: discarded at once, whoever it is for.
TEST_F(Waits, NotWhenItsTtlEndsHere) {
  receive(packet().to(host).ttl(1));
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(drops(DropReason::ttl_expired), 1U);
  expect_balance();
}

// What wants the same slot is named in its place (wanted.hpp), and the kernel gives up: it is asked for again.
TEST_F(Waits, AndIsAskedForWhileItDoes) {
  const auto first = base::parse_address("10.2.0.2").value();
  const auto second = base::parse_address("10.2.1.3").value();
  ASSERT_EQ(forward::Wanted::slot_of(first), forward::Wanted::slot_of(second));
  receive(packet().to(first));
  receive(packet().to(second));
  std::set<std::uint32_t> told;
  const auto take = [&] { worker_->wanted().take([&](std::uint32_t address) { told.insert(address); }); };
  for (unsigned round = 0; round < 2; ++round) {
    take();
    told.clear();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (told.size() < 2 && std::chrono::steady_clock::now() < end) {
      worker_->poll_once();
      take();
    }
    EXPECT_EQ(told, (std::set{first, second}));
  }
}

TEST_F(Waits, NotForWhatAnotherZoneWaitsFor) {
  const base::Prefix prefix{base::parse_address(host).value(), 32};
  const auto set_route = [&](fib::Value next_hop) {
    ASSERT_TRUE(lab().tables[1]->apply(std::vector<fib::Route>{{prefix, next_hop}}));
  };
  set_route(value_of(subnet));
  receive(packet().to(host));
  const Packet in = packet().from("10.0.5.5").to(host);
  receive(in);
  EXPECT_EQ(waiting(), 2U);
  set_route(value_of(vnet));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (waiting() == 2 && std::chrono::steady_clock::now() < end) {
    worker_->poll_once();
  }
  EXPECT_EQ(waiting(), 1U);
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, in)});
  set_route(fib::no_route);
}

TEST_F(Waits, AndNothingLaterOvertakesIt) {
  const Packet first = packet().to(host).id(1), second = packet().to(host).id(2);
  receive(first);
  resolve(host, vnet);
  std::this_thread::sleep_for(std::chrono::milliseconds{5});
  receive(second);
  EXPECT_EQ(lab().sent(spoke),
            (std::vector<Bytes>{forwarded_to(vnet_router, first), forwarded_to(vnet_router, second)}));
}

TEST_F(Waits, AndFewEndAtOnce) {
  be_patient(soon_over);
  const auto first = base::parse_address("10.2.9.0").value();
  constexpr unsigned count = forward::Waiting::most_ends + 5;
  for (std::uint32_t i = 0; i < count; ++i) {
    lab().send(lan, packet().to(first + i).bytes());
  }
  EXPECT_EQ(worker_->poll_once(), count);
  std::this_thread::sleep_for(std::chrono::milliseconds{2 * soon_over});
  worker_->poll_once();
  EXPECT_EQ(waiting(), 5U);
  until_none_waits();
  EXPECT_EQ(drops(DropReason::neighbour_unresolved), count);
  expect_balance();
}

// Steering knows the address by now, and has let the packet pass before.
TEST_F(Waits, ForWhatBecomesThisAppliancesOwn) {
  const HostRing to_host{"to_host"};
  decide::HostSources::Rules rules;
  rules.add_zone({{0xac10'0000, 12}}, true);
  state_.host[lan] = {.ring = to_host.ring,
                      .steered = true,
                      .sources = std::make_shared<const decide::HostSources>(std::move(rules))};
  receive(packet().to(host));
  state_.host[lan].local = {base::parse_address(host).value()};
  until_none_waits();
  EXPECT_EQ(drops(DropReason::no_host_companion), 1U);
  EXPECT_TRUE(rte_ring_empty(to_host.ring)) << "nobody would take it from there";
  expect_balance();
}

TEST_F(Waits, AndTellsNobodyByAnExitThatHasGone) {
  be_patient(soon_over);
  const HostRing to_host{"to_host"}, by_exit{"by_exit"};
  auto port = lab().queues[lan];
  port.generated = true;
  const std::vector<forward::HostQueue> queues{{.port = port, .ring = by_exit.ring, .judged = true}};
  worker_->set_host_queues(&queues);
  state_.host[lan].ring = to_host.ring;
  state_.exit_mtu = 1400;
  state_.icmp.limits = {.rate = 1000, .rate_per_source = 1000};
  state_.icmp.set(DropReason::neighbour_unresolved, packet::IcmpError::host_unreachable);
  const Bytes frame = packet().to(host).bytes();
  rte_mbuf* const mbuf = rte_pktmbuf_alloc(rte_mempool_lookup("packets"));
  ASSERT_NE(mbuf, nullptr);
  std::ranges::copy(frame, rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size())));
  ASSERT_EQ(rte_ring_enqueue(by_exit.ring, mbuf), 0);
  EXPECT_EQ(worker_->poll_once(), 1U);
  EXPECT_EQ(waiting(), 1U);
  state_.exit_mtu = 0;
  until_none_waits();
  EXPECT_EQ(drops(DropReason::neighbour_unresolved), 1U);
  EXPECT_TRUE(rte_ring_empty(to_host.ring));
  EXPECT_EQ(counted(lan).generated.packets.get(), 1U);
  expect_balance();
}

TEST_F(Waits, AndLeavesInFragments) {
  receive(packet().to(host).size(1000));
  resolve(host, narrow_hop);
  until_none_waits();
  EXPECT_EQ(lab().sent(narrow).size(), 2U);
  expect_balance();
}

TEST_F(Waits, WithoutItsTrailer) {
  const Packet plain = packet().to(host).size(100);
  receive(Packet(plain).trailer(50));
  resolve(host, vnet);
  until_none_waits();
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{forwarded_to(vnet_router, plain)});
}

TEST_F(Waits, WhoseSourceIsNobodysAnyMore) {
  receive(packet().to(host));
  auto sources = fib::Fib::create(lab().qsbr).value();
  state_.sources = sources.get();
  until_none_waits();
  EXPECT_EQ(drops(DropReason::unknown_source), 1U);
  worker_.reset();
}

TEST_F(Waits, ByAPortThatHasGone) {
  state_.icmp.limits = {.rate = 1000, .rate_per_source = 1000};
  state_.icmp.set(DropReason::neighbour_unresolved, packet::IcmpError::host_unreachable);
  state_.host[lan].address = 0x0a000104;
  receive(packet().to(host));
  state_.ports[lan].tx_queues = 0;
  until_none_waits();
  EXPECT_EQ(drops(DropReason::neighbour_unresolved), 1U);
  EXPECT_EQ(counted(lan).generated.packets.get(), 0U) << "nobody can be told";
  expect_balance();
}

// The buffers are free when the worker has gone: the fixture looks.
TEST_F(Waits, UntilTheEnd) {
  receive(packet().to(host));
  receive(packet().to("10.2.0.6"));
  EXPECT_EQ(waiting(), 2U);
}

TEST_F(Waits, AmongOthersOfItsBurst) {
  for (unsigned i = 0; i < 60; ++i) {
    lab().send(lan, packet().to(i % 20 == 0 ? host : "10.0.5.5").bytes());
  }
  EXPECT_EQ(worker_->poll_once(), 60U);
  EXPECT_EQ(waiting(), 3U);
  EXPECT_EQ(lab().sent(spoke).size(), 57U);
  expect_balance();
}

}  // namespace
}  // namespace sekisho::test
