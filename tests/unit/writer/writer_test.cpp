// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/writer.hpp"

#include <fmt/format.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "common/base/prefix.hpp"
#include "dataplane/writer/port_changes.hpp"
#include "tests/packet/packet_builder.hpp"
#include "tests/unit/writer/writer_fixture.hpp"

namespace sekisho::writer::test {
namespace {

std::uint64_t changes(const ipc::Committed& done) {
  return done.ports_changed() + done.next_hops_changed() + done.adjacencies_changed() + done.zones_changed() +
         done.routes_added() + done.routes_changed() + done.routes_removed();
}

// Everything that workers are shown.
struct Shown {
  const void* state;
  const void* queues;
  std::vector<const void*> next_hops;
  std::vector<const void*> adjacencies;
  std::vector<const void*> devices;
  friend bool operator==(const Shown&, const Shown&) = default;
};

Shown shown(const Live& live) {
  Shown all{.state = live.state.get(), .queues = live.queues.at(0).get()};
  for (unsigned i = 0; i < 16; ++i) {
    all.next_hops.push_back(&live.next_hops.next_hop(nexthop::NextHopIndex(i)));
  }
  for (nexthop::AdjacencyIndex i = 0; i < 16; ++i) {
    all.adjacencies.push_back(&live.next_hops.adjacency(i));
  }
  for (const auto& [name, port] : live.ports) {
    all.devices.push_back(port.device.get());
  }
  return all;
}

using Addresses = std::multiset<std::string>;

Addresses wanted_of(const std::vector<ipc::Event>& events) {
  Addresses all;
  for (const auto& event : events) {
    for (const auto destination : event.wanted().destinations()) {
      all.insert(base::address_to_string(destination));
    }
  }
  return all;
}

TEST_F(WriterTest, AFullTransactionForwards) {
  const auto done = commit(true, base());
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->transaction(), 1U);
  EXPECT_EQ(done->ports_changed(), 2U);
  EXPECT_EQ(done->routes_added(), 2U);
  EXPECT_EQ(done->failed_ports_size(), 0);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "gw");
  EXPECT_EQ(answer("192.168.0.1", "8.8.8.8"), "unknown_source");
}

TEST_F(WriterTest, AnEqualFullTransactionTouchesNothing) {
  ASSERT_TRUE(commit(true, base()));
  const auto before = shown(writer.live());
  const auto done = commit(true, base());
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(changes(*done), 0U);
  EXPECT_EQ(shown(writer.live()), before);
  EXPECT_EQ(done->transaction(), 2U);
}

TEST_F(WriterTest, WhatAFullTransactionDoesNotNameGoes) {
  ASSERT_TRUE(commit(true, base()));
  const auto done = commit(true, {parse(R"(ports { name: "lan" device: "net_null0,no-rx=1" })")});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->ports_changed(), 1U);
  EXPECT_EQ(done->zones_changed(), 1U);
  const auto state = writer.state();
  EXPECT_EQ(state.ports_size(), 1);
  EXPECT_EQ(state.adjacencies_size() + state.next_hops_size() + state.zones_size(), 0);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "unknown_source");
  // Their devices and indexes can be had again.
  ASSERT_TRUE(commit(true, base()));
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
}

TEST_F(WriterTest, AnIncrementalTransactionChangesWhatItNames) {
  ASSERT_TRUE(commit(true, base()));
  auto done = commit(false, {routes("onprem", {{"8.8.8.0/24", "fw"}, {"9.9.9.9/32", "gw"}})});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->routes_added(), 1U);
  EXPECT_EQ(done->routes_changed(), 1U);
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "fw");
  EXPECT_EQ(answer("172.16.0.1", "9.9.9.9"), "gw");
  done = commit(false, {withdraw("onprem", {"9.9.9.9/32"})});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->routes_removed(), 1U);
  EXPECT_EQ(answer("172.16.0.1", "9.9.9.9"), "fw");
  EXPECT_FALSE(commit(false, {parse(R"(remove_next_hops: "fw")")}));
}

TEST_F(WriterTest, ADeadNeighbourChangesInPlace) {
  ASSERT_TRUE(commit(true, base()));
  const auto index = writer.live().next_hop_names.at("fw").index;
  ASSERT_TRUE(commit(false, {parse(R"(adjacencies { key { port: "egress" address: @10.0.2.10 } })")}));
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "next_hop_down");
  EXPECT_EQ(writer.live().next_hop_names.at("fw").index, index);
}

TEST_F(WriterTest, ANewDefinitionAloneIsSwappedInPlace) {
  ASSERT_TRUE(commit(true, base()));
  const auto index = writer.live().next_hop_names.at("fw").index;
  const auto done = commit(false, {parse(R"(next_hops { name: "fw" action: DROP })")});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(writer.live().next_hop_names.at("fw").index, index);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "null_route");
}

TEST_F(WriterTest, ANewDefinitionWithNewRoutesGetsANewIndex) {
  ASSERT_TRUE(commit(true, base()));
  const auto index = writer.live().next_hop_names.at("fw").index;
  const auto done = commit(false, {parse(R"(next_hops { name: "fw" action: DROP })"),
                                   routes("onprem", {{"8.8.8.0/24", "fw"}, {"9.9.9.0/24", "gw"}})});
  ASSERT_TRUE(done) << done.error();
  EXPECT_NE(writer.live().next_hop_names.at("fw").index, index);
  EXPECT_EQ(done->routes_changed(), 1U) << "a route that only follows its next hop did not change";
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "null_route");
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "null_route");
  EXPECT_EQ(answer("172.16.0.1", "9.9.9.9"), "gw");
}

TEST_F(WriterTest, ARefusalLeavesAllAsItWas) {
  ASSERT_TRUE(commit(true, base()));
  const auto before = shown(writer.live());
  const auto state = writer.state().SerializeAsString();
  EXPECT_FALSE(commit(true, {parse(R"(zones { name: "z" ports: "nope" })")}));
  EXPECT_EQ(shown(writer.live()), before);
  EXPECT_EQ(writer.state().SerializeAsString(), state);
}

TEST_F(WriterTest, AFailedPortIsReportedAndTriedAgain) {
  auto wanted = base();
  wanted[0].mutable_ports(1)->set_device("net_pcap0,rx_pcap=/nonexistent/sekisho.pcap");
  auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  ASSERT_EQ(done->failed_ports_size(), 1);
  EXPECT_EQ(done->failed_ports(0).name(), "egress");
  EXPECT_FALSE(done->failed_ports(0).error().empty());
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "next_hop_down");
  const auto events = writer.take_events();
  EXPECT_EQ(events.size(), 2U);
  done = commit(true, wanted);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->failed_ports_size(), 1);
  EXPECT_EQ(changes(*done), 0U);
  done = commit(true, base());
  ASSERT_TRUE(done);
  EXPECT_EQ(done->failed_ports_size(), 0);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
}

TEST_F(WriterTest, OnlyAFullTransactionTriesAFailedPortAgain) {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("sekisho-writer-{}.pcap", getpid());
  auto wanted = base();
  wanted[0].mutable_ports(1)->set_device(fmt::format("net_pcap0,rx_pcap={}", file.native()));
  auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  ASSERT_EQ(done->failed_ports_size(), 1);
  constexpr unsigned char no_packets[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
                                            0,    0,    0,    0,    0, 0, 4, 0, 1, 0, 0, 0};
  std::ofstream{file}.write(reinterpret_cast<const char*>(no_packets), sizeof no_packets);
  done = commit(false, {ipc::Change{}});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->failed_ports_size(), 1) << "a neighbour's death does not wait for a device";
  done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->failed_ports_size(), 0);
  std::filesystem::remove(file);
}

TEST_F(WriterTest, APortGetsAnotherDeviceNameAndMtu) {
  ASSERT_TRUE(commit(true, base()));
  auto wanted = base();
  wanted[0].mutable_ports(1)->set_device("net_null7,no-rx=1");
  ASSERT_TRUE(commit(true, wanted));
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
  EXPECT_EQ(writer.state().ports(0).device(), "net_null7,no-rx=1");
  // The same device, hence closed and opened again; and two names that swap their devices.
  wanted[0].mutable_ports(1)->set_device("net_null7,no-rx=1,copy=0");
  auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->failed_ports_size(), 0);
  std::swap(*wanted[0].mutable_ports(0)->mutable_device(), *wanted[0].mutable_ports(1)->mutable_device());
  done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->failed_ports_size(), 0);
  EXPECT_EQ(done->ports_changed(), 2U);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
}

// net_null puts a frame into one buffer: with an MTU of more the port would be closed, and not open again.
TEST_F(WriterTest, APortThatRunsKeepsItsDeviceWhenThatTakesNoSuchMtu) {
  ASSERT_TRUE(commit(true, base()));
  const auto* const device = writer.live().ports.at("lan").device.get();
  auto wanted = base();
  wanted[0].mutable_ports(0)->set_mtu(9000);
  const auto done = commit(false, wanted);
  ASSERT_FALSE(done);
  const std::string refusal =
      "port lan: net_null0,no-rx=1 does not take an MTU of 9000; the most it takes is 2030";
  EXPECT_EQ(done.error(), refusal);
  const auto& lan = writer.live().ports.at("lan");
  EXPECT_EQ(lan.device.get(), device);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");

  // Control starts with such a file: the rest of its policy is in force, and stays changeable.
  ASSERT_TRUE(commit(true, wanted));
  EXPECT_EQ(lan.device.get(), device);
  EXPECT_EQ(lan.error, refusal);
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
  ASSERT_TRUE(commit(false, {}));
  EXPECT_EQ(lan.error, refusal);

  wanted[0].mutable_ports(0)->set_mtu(2030);
  ASSERT_TRUE(commit(true, wanted));
  EXPECT_EQ(lan.device->mtu(), 2030);
  EXPECT_EQ(lan.error, "");
}

TEST_F(WriterTest, APortClampsWithoutBeingOpenedAgain) {
  ASSERT_TRUE(commit(true, base()));
  const auto& egress = writer.live().ports.at("egress");
  const auto* const device = egress.device.get();
  const auto clamping = [&]() -> const forward::MssClamping& { return writer.live().state->clamping; };
  EXPECT_EQ(clamping().ports, 0U) << "off by default";
  auto wanted = base();
  wanted[0].mutable_ports(1)->mutable_mss_clamp()->set_most(1200);
  const auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->ports_changed(), 1U);
  EXPECT_EQ(clamping().ports, 1U << egress.index);
  EXPECT_EQ(clamping().by_mtu, 0U);
  EXPECT_EQ(clamping().most_between(egress.index, writer.live().ports.at("lan").index), 1200);
  wanted[0].mutable_ports(1)->mutable_mss_clamp()->set_most(0);
  ASSERT_TRUE(commit(true, wanted));
  EXPECT_EQ(clamping().by_mtu, 1U << egress.index);
  EXPECT_EQ(clamping().most_between(writer.live().ports.at("lan").index, egress.index),
            std::min(device->mtu(), writer.live().ports.at("lan").device->mtu()) - 40);
  ASSERT_TRUE(commit(true, base()));
  EXPECT_EQ(clamping().ports, 0U);
  EXPECT_EQ(egress.device.get(), device);
}

TEST_F(WriterTest, ASourceMovesToACompleteZone) {
  ASSERT_TRUE(commit(true, base()));
  auto wanted = base();
  wanted[0].mutable_zones(0)->clear_sources();
  wanted.push_back(
      parse(R"(zones { name: "vnet" ports: "lan" sources { address: @172.16.0.0 length: 12 } })"));
  wanted.push_back(routes("vnet", {{"0.0.0.0/0", "gw"}}));
  const auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "gw");
}

TEST_F(WriterTest, AReusedIndexStartsCountingAtZero) {
  ASSERT_TRUE(
      commit(true, {parse(R"(ports { name: "a" device: "net_null0" })")}));  // it makes frames of zeros
  EXPECT_GT(worker.poll_once(), 0U);
  const auto before = writer.statistics();
  EXPECT_GT(before.ports(0).rx().packets(), 0U);
  EXPECT_GT(before.ports(0).drops().at("other_station"), 0U);
  const auto index = writer.live().ports.at("a").index;
  ASSERT_TRUE(commit(true, {parse(R"(ports { name: "b" device: "net_null0,no-rx=1" })")}));
  ASSERT_TRUE(commit(true, {parse(R"(ports { name: "c" device: "net_null1,no-rx=1" })")}));
  ASSERT_TRUE(commit(true, {parse(R"(ports { name: "d" device: "net_null0,no-rx=1" })")}));
  EXPECT_EQ(writer.live().ports.at("d").index == index || writer.live().ports.at("d").index == index + 1,
            true);
  for (const auto& port : worker.counters().ports) {
    EXPECT_EQ(port.rx.packets.get(), 0U);
  }
}

// base(), with a subnet of port egress in which one neighbour is resolved, 10.0.2.11.
std::vector<ipc::Change> with_subnet() {
  auto wanted = base();
  wanted.push_back(parse(R"(next_hops { name: "subnet" action: CONNECTED })"));
  wanted.push_back(routes("onprem", {{"10.0.2.0/24", "subnet"}, {"10.0.2.11/32", "gw"}}));
  return wanted;
}

TEST_F(WriterTest, AConnectedRouteIsSaidAsWhatItIs) {
  ASSERT_TRUE(commit(true, with_subnet()));
  ipc::Lookup question;
  question.set_source(ip("172.16.0.1"));
  question.set_destination(ip("10.0.2.77"));
  const auto decision = writer.lookup(question);
  ASSERT_TRUE(decision) << decision.error();
  EXPECT_EQ(decision->drop_reason(), "neighbour_unresolved");
  EXPECT_EQ(decision->next_hop(), "subnet");
  EXPECT_EQ(decision->prefix().address(), ip("10.0.2.0"));
  EXPECT_EQ(decision->prefix().length(), 24U);
  EXPECT_FALSE(decision->has_adjacency());
  EXPECT_EQ(answer("172.16.0.1", "10.0.2.11"), "gw");
  const auto state = writer.state();
  const auto subnet = std::ranges::find(state.next_hops(), "subnet",
                                        [](const ipc::NextHopState& one) { return one.next_hop().name(); });
  ASSERT_NE(subnet, state.next_hops().end());
  EXPECT_EQ(subnet->next_hop().action(), ipc::NextHop::CONNECTED);
  EXPECT_EQ(subnet->alive_members(), 0U);
  const auto again = commit(true, with_subnet());
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(changes(*again), 0U);

  // A neighbour that is resolved, and one that went.
  ASSERT_TRUE(
      commit(false, {routes("onprem", {{"10.0.2.77/32", "gw"}}), withdraw("onprem", {"10.0.2.11/32"})}));
  EXPECT_EQ(answer("172.16.0.1", "10.0.2.77"), "gw");
  EXPECT_EQ(answer("172.16.0.1", "10.0.2.11"), "neighbour_unresolved");
  writer.tell_wanted({});
  EXPECT_EQ(wanted_of(writer.take_events()), Addresses{}) << "a lookup is no packet";
}

// From the wire to the event, and after it the neighbour's own route; what port lan sends, it receives.
TEST_F(WriterTest, APacketToAConnectedRouteIsCountedAndItsDestinationTold) {
  auto wanted = with_subnet();
  wanted[0].mutable_ports(0)->set_device("net_ring0");
  ASSERT_TRUE(commit(true, wanted));
  std::chrono::steady_clock::time_point now{};
  const auto receive = [&](std::string_view destination) {
    const auto frame = sekisho::test::packet().to(destination).bytes();
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool());
    ASSERT_NE(mbuf, nullptr);
    std::ranges::copy(frame, rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size())));
    ASSERT_EQ(rte_eth_tx_burst(writer.live().ports.at("lan").device->dpdk_port(), 0, &mbuf, 1), 1);
    EXPECT_EQ(worker.poll_once(), 1U);
    writer.tell_wanted(now += std::chrono::minutes{1});
  };
  static_cast<void>(writer.take_events());
  receive("10.0.2.77");
  EXPECT_EQ(wanted_of(writer.take_events()), Addresses{"10.0.2.77"});
  ASSERT_TRUE(commit(false, {routes("onprem", {{"10.0.2.77/32", "gw"}})}));
  receive("10.0.2.77");
  EXPECT_EQ(wanted_of(writer.take_events()), Addresses{});

  const auto statistics = writer.statistics();
  ASSERT_EQ(statistics.ports_size(), 2);
  const auto& egress = statistics.ports(0);
  const auto& lan = statistics.ports(1);
  EXPECT_EQ(lan.rx().packets(), 2U);
  EXPECT_EQ(lan.drops_size(), 1);
  EXPECT_EQ(lan.drops().at("neighbour_unresolved"), 1U);
  EXPECT_EQ(egress.tx().packets(), 1U);
  EXPECT_EQ(lan.tx().packets() + lan.host() + egress.host(), 0U);
  const auto subnet = std::ranges::find(statistics.next_hops(), "subnet", &ipc::NamedCounter::name);
  ASSERT_NE(subnet, statistics.next_hops().end());
  EXPECT_EQ(subnet->counter().packets(), 1U);
}

TEST_F(WriterTest, AWantedDestinationIsToldAtMostOnceASecond) {
  using std::chrono::milliseconds;
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  const auto told = [&](milliseconds after) {
    writer.tell_wanted(start + after);
    return wanted_of(writer.take_events());
  };
  EXPECT_EQ(told(milliseconds{0}), Addresses{});
  worker.wanted().note(ip("10.0.2.77"));
  EXPECT_EQ(told(milliseconds{0}), Addresses{"10.0.2.77"});
  worker.wanted().note(ip("10.0.2.77"));
  EXPECT_EQ(told(milliseconds{999}), Addresses{});
  worker.wanted().note(ip("10.0.2.77"));
  worker.wanted().note(ip("10.0.2.78"));
  EXPECT_EQ(told(milliseconds{999}), Addresses{"10.0.2.78"}) << "each has its own second";
  EXPECT_EQ(told(milliseconds{1000}), Addresses{}) << "no packet has come since";
  worker.wanted().note(ip("10.0.2.77"));
  worker.wanted().note(ip("10.0.2.78"));
  EXPECT_EQ(told(milliseconds{1000}), Addresses{"10.0.2.77"});
  worker.wanted().note(ip("10.0.2.78"));
  EXPECT_EQ(told(milliseconds{1999}), Addresses{"10.0.2.78"});
}

TEST(TwoWorkers, WantOneDestinationAndItIsToldOnce) {
  fib::Qsbr qsbr{2};
  forward::Worker one{qsbr, {.index = 0}}, two{qsbr, {.index = 1}};
  Writer writer{
      qsbr, {&one, &two}, {.pool = pool(), .tables = {.max_extension_tables = 8}, .lcores = {0, 1}}};
  one.wanted().note(ip("10.0.2.77"));
  two.wanted().note(ip("10.0.2.77"));
  two.wanted().note(ip("10.0.2.78"));
  writer.tell_wanted({});
  auto events = writer.take_events();
  EXPECT_EQ(events.size(), 1U);
  EXPECT_EQ(wanted_of(events), (Addresses{"10.0.2.77", "10.0.2.78"}));
}

// A worker for which a packet waits that came by port lan, and which is kept from its CPU while the port goes.
class PatientWorker : public testing::Test {
 protected:
  PatientWorker() {
    auto wanted = with_subnet();
    wanted[0].mutable_ports(0)->set_device("net_ring1");
    commit(wanted);
    free = rte_mempool_avail_count(packets);
    lan = writer.live().ports.at("lan").index;
    device = writer.live().ports.at("lan").device->dpdk_port();
    const auto frame = sekisho::test::packet().to("10.0.2.77").bytes();
    rte_mbuf* mbuf = rte_pktmbuf_alloc(packets);
    std::ranges::copy(frame, rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size())));
    EXPECT_EQ(rte_eth_tx_burst(device, 0, &mbuf, 1), 1);
    EXPECT_EQ(worker.poll_once(), 1U);
    EXPECT_EQ(worker.counters().ports[lan].waiting.get(), 1U);
  }

  void commit(const std::vector<ipc::Change>& changes) {
    auto transaction = writer.begin(true);
    for (const auto& change : changes) {
      ASSERT_TRUE(transaction.add(change));
    }
    ASSERT_TRUE(writer.commit(std::move(transaction)));
  }

  rte_mempool* packets =
      pool();  // first: a worker's patience is in cycles, of which EAL knows how many a second has
  fib::Qsbr qsbr{1};
  forward::Worker worker{qsbr, {.index = 0, .patience_ms = 60'000}};
  Writer writer{qsbr, {&worker}, {.pool = packets, .tables = {.max_extension_tables = 8}, .lcores = {0}}};
  unsigned free = 0;
  forward::PortIndex lan = 0;
  std::uint16_t device = 0;
};

// It keeps them for longer than any limit: until it has looked, the port's index is nobody else's.
TEST_F(PatientWorker, HasLetGoOfAPortWhenItsIndexIsFree) {
  {
    const std::jthread late{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{300});
      qsbr.online(0);
      worker.poll_once();
      qsbr.offline(0);
    }};
    commit(base());
    EXPECT_EQ(rte_mempool_avail_count(packets), free) << "it has been dropped";
  }
  EXPECT_EQ(worker.counters().ports[lan].waiting.get(), 0U) << "of the index's next port";
}

// It counts what has waited no more before it counts where that went: until it says that it holds nothing old, the port is not closed,
// whose books would lack the drop.
TEST_F(PatientWorker, HasCountedWhereItWentWhenThePortIsClosed) {
  bool is_open = false;
  {
    const std::jthread late{[&] {
      // Until the writer has told it that the port is gone.
      for (;;) {
        qsbr.online(0);
        worker.poll_once();
        if (worker.counters().ports[lan].waiting.get() == 0) {
          break;
        }
        qsbr.offline(0);
        std::this_thread::yield();
      }
      // With the last counter still to be written: there is no event for what must not happen.
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
      is_open = rte_eth_dev_is_valid_port(device) != 0;
      qsbr.offline(0);
    }};
    commit(base());
  }
  EXPECT_TRUE(is_open);
  EXPECT_EQ(rte_mempool_avail_count(packets), free);
}

// The kernel's packets leave by the new device as soon as that is shown to workers.
TEST(PortChanges, FollowTheExitToItsPortsNewIndex) {
  fib::Qsbr qsbr{1};
  forward::Worker worker{qsbr, {.index = 0}};
  Live live{qsbr, {&worker}, pool(), {}, {}};
  live.ports["egress"].index = 5;
  Configuration wanted;
  wanted.exit = "egress";
  const PortChanges changes{live, wanted, false};
  forward::ForwardingState state;
  state.exit_port = 3;
  state.exit_mtu = 1500;
  EXPECT_EQ(changes.in(state).exit_port, 5);
  state.exit_port = 0;
  state.exit_mtu = 0;
  EXPECT_EQ(changes.in(state).exit_port, 0) << "as long as there is none";
}

// Control asks the kernel for what is named here: a neighbour that no packet misses is not to be named.
TEST_F(WriterTest, WhatAConnectedRouteDropsWantsNoMember) {
  using decide::DropReason;
  auto wanted = with_subnet();
  wanted.push_back(parse(R"(adjacencies { key { port: "egress" address: @10.0.2.12 } }
                            next_hops { name: "pair" members { port: "egress" address: @10.0.2.11 }
                                                     members { port: "egress" address: @10.0.2.12 } })"));
  ASSERT_TRUE(commit(true, wanted));
  const auto lan = writer.live().ports.at("lan").index;
  const auto count = [&](const std::string& next_hop, DropReason reason) {
    auto& counters = worker.mutable_counters();
    counters.next_hops[value_of(writer.live().next_hop_names.at(next_hop).index)].add(1, 100);
    counters.ports[lan].drops[static_cast<std::size_t>(reason)].add(1);
  };
  writer.tick();
  static_cast<void>(writer.take_events());
  worker.mutable_counters().next_hops[value_of(writer.live().next_hop_names.at("pair").index)].add(1, 100);
  count("subnet", DropReason::neighbour_unresolved);
  writer.tick();
  const auto unresolved = [&] {
    Addresses all;
    for (const auto& event : writer.take_events()) {
      if (event.has_unresolved()) {
        all.insert(base::address_to_string(event.unresolved().address()));
      }
    }
    return all;
  };
  EXPECT_EQ(unresolved(), Addresses{}) << "the pair's living member took its packet";
  count("pair", DropReason::next_hop_down);
  writer.tick();
  EXPECT_EQ(unresolved(), Addresses{"10.0.2.12"});
}

class FewTables : public WriterTest {
 protected:
  FewTables() : WriterTest{2} {}
};

TEST_F(FewTables, ExhaustedTablesTakeEverythingBack) {
  ASSERT_TRUE(commit(true, base()));
  auto wanted = base();
  wanted.push_back(parse(R"(zones { name: "vnet" ports: "lan" sources { address: @10.0.0.0 length: 8 } }
                            next_hops { name: "none" action: DROP })"));
  wanted.push_back(routes("vnet", {{"1.0.0.1/32", "gw"}, {"0.0.0.0/0", "none"}}));
  ASSERT_TRUE(commit(true, wanted));
  const auto before = shown(writer.live());
  auto state = writer.state();

  // Zone onprem can be changed, zone vnet after it not.
  auto too_much = wanted;
  too_much[0].mutable_next_hops(0)->clear_members();
  too_much[0].mutable_next_hops(0)->set_action(ipc::NextHop::DROP);
  too_much.push_back(parse(R"(ports { name: "wan" device: "net_null3,no-rx=1" })"));
  too_much.push_back(routes("onprem", {{"8.8.8.0/24", "fw"}, {"7.7.7.7/32", "gw"}}));
  too_much.push_back(routes("vnet", {{"1.0.1.1/32", "gw"}, {"1.0.2.1/32", "gw"}}));
  const auto refused = commit(true, too_much);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().starts_with("zone vnet: ")) << refused.error();
  EXPECT_EQ(answer("172.16.0.1", "1.1.1.1"), "fw");
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "gw");
  EXPECT_EQ(answer("172.16.0.1", "7.7.7.7"), "fw");
  EXPECT_EQ(answer("10.0.0.1", "1.0.0.1"), "gw");
  EXPECT_EQ(shown(writer.live()).devices, before.devices);
  EXPECT_EQ(shown(writer.live()).adjacencies, before.adjacencies);
  auto state_after = writer.state();
  for (auto* both : {&state, &state_after}) {
    for (auto& table : *both->mutable_tables()) {
      table.clear_memory_bytes();
    }
  }
  EXPECT_EQ(state_after.DebugString(), state.DebugString());

  // The sources' table comes last.
  too_much = wanted;
  too_much.push_back(routes("onprem", {{"8.8.8.0/24", "fw"}}));
  for (const auto* source : {"1.1.1.1", "1.1.2.1", "1.1.3.1"}) {
    auto& prefix = *too_much[0].mutable_zones(0)->add_sources();
    prefix.set_address(ip(source));
    prefix.set_length(32);
  }
  const auto sources_refused = commit(true, too_much);
  ASSERT_FALSE(sources_refused);
  EXPECT_TRUE(sources_refused.error().starts_with("the zones' sources: ")) << sources_refused.error();
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "gw");
  EXPECT_EQ(answer("1.1.1.1", "8.8.8.8"), "unknown_source");

  const auto done = commit(true, wanted);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(changes(*done), 0U);
}

}  // namespace
}  // namespace sekisho::writer::test
