#include "dataplane/api/writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/unit/api/writer_fixture.hpp"

namespace sekisho::api::test {
namespace {

std::uint64_t changes(const Committed& done) {
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
  for (fib::NextHopIndex i = 0; i < 16; ++i) {
    all.next_hops.push_back(&live.next_hops.next_hop(i));
  }
  for (fib::AdjacencyIndex i = 0; i < 16; ++i) {
    all.adjacencies.push_back(&live.next_hops.adjacency(i));
  }
  for (const auto& [name, port] : live.ports) {
    all.devices.push_back(port.device.get());
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
  done = commit(false, {Change{}});
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
  too_much[0].mutable_next_hops(0)->set_action(NextHop::DROP);
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
}  // namespace sekisho::api::test
