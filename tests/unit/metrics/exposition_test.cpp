// SPDX-License-Identifier: BSD-3-Clause
// The exposition as a pure function.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/version.hpp"
#include "control/metrics/exposition.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view configuration = R"(
[port.lan]
device = "af_xdp:lan0"
[port.wire]
device = "net_null0"
companion = false
[port.dead]
device = "net_null1"
companion = false
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
[next_hop.gateway]
members = ["10.0.1.1"]
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
routes = [{ prefix = "0.0.0.0/0", next_hop = "firewall" }]
)";

struct World {
  World() {
    policy = policy::read(folder.write("sekisho.toml", configuration)).value();
    mirror.links[1] = {.index = 1, .name = "lan0", .up = true, .mac = {}, .mtu = 1500};
  }
  void connect() {
    auto& state = live.state.emplace();
    state.set_version("9.9");
    state.set_started_unix_ms(1500);
    state.set_transaction(7);
    state.mutable_packet_memory()->set_bytes(100);
    state.mutable_packet_memory()->set_transparent_hugepage_bytes(60);
    for (const auto* name : {"lan", "wire"}) {
      auto* port = state.add_ports();
      port->set_name(name);
      port->set_running(true);
    }
    state.add_ports()->set_name("dead");
    auto* firewall = state.add_next_hops();
    firewall->mutable_next_hop()->set_name("firewall");
    firewall->set_alive_members(1);
    auto* adjacency = state.add_adjacencies();
    adjacency->mutable_key()->set_port("wire");
    adjacency->mutable_key()->set_address(base::parse_address("10.0.2.10").value());
    adjacency->set_alive(true);
    auto* table = state.add_tables();
    table->set_zone("onprem");
    table->set_routes(3);
    table->set_extension_tables(2);
    table->set_extension_tables_limit(100);
    table->set_memory_bytes(33554432);

    auto& statistics = live.statistics.emplace();
    auto* lan = statistics.add_ports();
    lan->set_name("lan");
    lan->mutable_rx()->set_packets(100);
    lan->mutable_rx()->set_bytes(6400);
    lan->mutable_tx()->set_packets(90);
    lan->mutable_tx()->set_bytes(5400);
    lan->set_host(1);
    lan->set_missed(2);
    lan->set_held(3);
    (*lan->mutable_drops())["no_route"] = 10;
    (*lan->mutable_steer())["redirected"] = 105;
    (*lan->mutable_steer())["dropped_ipv6"] = 4;
    auto* zone = statistics.add_zones();
    zone->set_name("onprem");
    zone->mutable_counter()->set_packets(90);
    zone->mutable_counter()->set_bytes(5500);
    for (const auto* name : {"firewall", "none"}) {
      auto* next_hop = statistics.add_next_hops();
      next_hop->set_name(name);
      next_hop->mutable_counter()->set_packets(80);
      next_hop->mutable_counter()->set_bytes(4800);
    }
    auto* neighbour = statistics.add_adjacencies();
    *neighbour->mutable_key() = adjacency->key();
    neighbour->mutable_counter()->set_packets(70);
    neighbour->mutable_counter()->set_bytes(4200);
    auto* worker = statistics.add_workers();
    worker->set_lcore(1);
    worker->set_polls(1000);
    worker->set_bursts(50);
    worker->set_sleeps(20);
  }
  [[nodiscard]] std::string text(Format format = Format::openmetrics) const {
    return exposition({.policy = *policy,
                       .mirror = mirror,
                       .live = live,
                       .started_unix_ms = 2250,
                       .reloads = reloads,
                       .members = members},
                      format);
  }

  test::TemporaryFolder folder;
  std::shared_ptr<const policy::Policy> policy;
  netlink::Mirror mirror;
  serve::Live live;
  std::vector<reach::Member> members;
  Reloads reloads{.succeeded = 2, .failed = 1, .last_succeeded = false, .last_success_unix_ms = 3000};
};

TEST(Exposition, SaysWhatControlKnowsByItself) {
  const World world;
  const auto text = world.text();
  const auto build_info = fmt::format("sekisho_build_info{{version=\"{}\"}} 1\n", base::version());
  for (const auto* line :
       {build_info.c_str(), "sekisho_start_time_seconds 2.250\n",
        "sekisho_config_reloads_total{result=\"success\"} 2\n",
        "sekisho_config_reloads_total{result=\"failure\"} 1\n", "sekisho_config_last_reload_successful 0\n",
        "sekisho_config_last_reload_success_timestamp_seconds 3.000\n", "sekisho_dataplane_connected 0\n"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string{line}));
  }
  EXPECT_THAT(text, Not(HasSubstr("sekisho_port_up"))) << "nobody knows";
  EXPECT_THAT(text, testing::EndsWith("# EOF\n"));
}

TEST(Exposition, SaysWhoIsAliveWithoutADataplane) {
  World world;
  const auto address = base::parse_address("10.0.2.10").value();
  world.members = {{.port = "wire", .address = address, .alive = true}};
  world.members[0].downs = 2;
  world.members[0].ups = 1;
  EXPECT_THAT(world.text(), Not(HasSubstr("sekisho_member_probe_round_trip_seconds{")));
  world.members[0].round_trip = std::chrono::microseconds{312};
  for (const auto* line :
       {"sekisho_member_up{next_hop=\"firewall\",address=\"10.0.2.10\",port=\"wire\"} 1",
        "sekisho_member_transitions_total{next_hop=\"firewall\",address=\"10.0.2.10\",to=\"up\"} 1",
        "sekisho_member_transitions_total{next_hop=\"firewall\",address=\"10.0.2.10\",to=\"down\"} 2",
        "sekisho_member_probe_round_trip_seconds{next_hop=\"firewall\",address=\"10.0.2.10\"} 0.000312"}) {
    EXPECT_THAT(world.text(), HasSubstr("\n" + std::string{line} + "\n"));
  }
}

TEST(Exposition, InternetIsANextHopAndProblemsAreCounted) {
  World world;
  auto policy = std::make_shared<policy::Policy>(*world.policy);
  policy->config.internet.emplace().exit = "lan";
  world.policy = policy;
  world.connect();
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_next_hop_up{next_hop=\"Internet\"} 0\n"));
  auto& internet = *world.live.state->add_next_hops()->mutable_next_hop();
  internet.set_name("internet");
  internet.set_action(ipc::NextHop::EXIT);
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_next_hop_up{next_hop=\"Internet\"} 1\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_health 0\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_draining 0\n"));
  EXPECT_THAT(world.text(), HasSubstr("\nsekisho_problems{kind=\"next_hop_down\"} 0\n"));
}

TEST(Exposition, SaysWhatTheDataplaneDoes) {
  World world;
  world.connect();
  const auto text = world.text();
  for (const auto* line : {
           "sekisho_dataplane_connected 1",
           "sekisho_dataplane_build_info{version=\"9.9\"} 1",
           "sekisho_dataplane_start_time_seconds 1.500",
           "sekisho_dataplane_transactions_total 7",
           "sekisho_dataplane_packet_memory_bytes{pages=\"reserved\"} 0",
           "sekisho_dataplane_packet_memory_bytes{pages=\"transparent\"} 60",
           "sekisho_dataplane_packet_memory_bytes{pages=\"small\"} 40",
           "sekisho_port_up{port=\"lan\"} 1",
           "sekisho_port_up{port=\"wire\"} 1",
           "sekisho_port_up{port=\"dead\"} 0",
           "sekisho_port_rx_packets_total{port=\"lan\"} 100",
           "sekisho_port_rx_bytes_total{port=\"lan\"} 6400",
           "sekisho_port_tx_packets_total{port=\"lan\"} 90",
           "sekisho_port_tx_bytes_total{port=\"lan\"} 5400",
           "sekisho_port_host_packets_total{port=\"lan\"} 1",
           "sekisho_port_missed_packets_total{port=\"lan\"} 2",
           "sekisho_port_held_packets{port=\"lan\"} 3",
           "sekisho_port_steering_packets_total{port=\"lan\",verdict=\"redirected\"} 105",
           "sekisho_drops_total{port=\"lan\",by=\"dataplane\",reason=\"no_route\"} 10",
           "sekisho_drops_total{port=\"lan\",by=\"dataplane\",reason=\"ttl_expired\"} 0",
           "sekisho_drops_total{port=\"lan\",by=\"steering\",reason=\"dropped_ipv6\"} 4",
           "sekisho_drops_total{port=\"lan\",by=\"device\",reason=\"missed\"} 2",
           "sekisho_zone_packets_total{zone=\"onprem\"} 90",
           "sekisho_zone_bytes_total{zone=\"onprem\"} 5500",
           "sekisho_next_hop_packets_total{next_hop=\"firewall\"} 80",
           "sekisho_next_hop_packets_total{next_hop=\"None\"} 80",
           "sekisho_next_hop_bytes_total{next_hop=\"firewall\"} 4800",
           "sekisho_next_hop_up{next_hop=\"firewall\"} 1",
           "sekisho_next_hop_up{next_hop=\"gateway\"} 0",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"alive\"} 1",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"down\"} 1",
           "sekisho_next_hop_members{next_hop=\"firewall\",state=\"drained\"} 0",
           "sekisho_next_hop_members{next_hop=\"gateway\",state=\"down\"} 1",
           "sekisho_adjacency_up{port=\"wire\",address=\"10.0.2.10\"} 1",
           "sekisho_adjacency_packets_total{port=\"wire\",address=\"10.0.2.10\"} 70",
           "sekisho_adjacency_bytes_total{port=\"wire\",address=\"10.0.2.10\"} 4200",
           "sekisho_table_routes{table=\"onprem\"} 3",
           "sekisho_table_extension_tables{table=\"onprem\"} 2",
           "sekisho_table_extension_tables_limit{table=\"onprem\"} 100",
           "sekisho_table_memory_bytes{table=\"onprem\"} 33554432",
           "sekisho_worker_polls_total{lcore=\"1\"} 1000",
           "sekisho_worker_bursts_total{lcore=\"1\"} 50",
           "sekisho_worker_sleeps_total{lcore=\"1\"} 20",
       }) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string{line} + "\n"));
  }
  world.mirror.links[1].up = false;
  EXPECT_THAT(world.text(), HasSubstr("sekisho_port_up{port=\"lan\"} 0\n"));
  world.mirror.links.clear();
  EXPECT_THAT(world.text(), HasSubstr("sekisho_port_up{port=\"lan\"} 0\n"));
}

TEST(Exposition, BothFormatsHaveTheSameSamples) {
  World world;
  world.connect();
  const auto samples = [](const std::string& text) {
    std::set<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with('#')) {
        EXPECT_TRUE(lines.insert(line).second) << "twice: " << line;
      }
    }
    return lines;
  };
  EXPECT_EQ(samples(world.text(Format::openmetrics)), samples(world.text(Format::prometheus)));
}

}  // namespace
}  // namespace sekisho::metrics
