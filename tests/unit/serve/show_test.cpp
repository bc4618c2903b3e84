// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "control/serve/show.hpp"
#include "tests/unit/serve/fake_backend.hpp"

namespace sekisho::serve {
namespace {

TEST(Show, PortsJoinsConfigurationKernelAndDataplane) {
  FakeBackend backend;
  auto* lan = backend.state.add_ports();
  lan->set_name("lan");
  lan->set_running(true);
  lan->set_mac(std::string{"\x02\0\0\0\0\x01", 6});
  lan->set_rx_queues(2);
  auto* counters = backend.statistics.add_ports();
  counters->set_name("lan");
  counters->mutable_rx()->set_packets(7);
  const auto ports = show(backend, "ports");
  EXPECT_EQ(named(ports, "lan")["running"], true);
  EXPECT_EQ(named(ports, "lan")["mac"], "02:00:00:00:00:01");
  EXPECT_EQ(named(ports, "lan")["rx"]["packets"], 7);
  EXPECT_EQ(named(ports, "lan")["addresses"], Json::array({"10.0.1.4/24"}));
  EXPECT_EQ(named(ports, "lan")["zones"], Json::array({"onprem"}));
  EXPECT_EQ(named(ports, "egress")["error"], "the dataplane does not know this port");
  backend.mirror_.links.erase(2);
  EXPECT_EQ(named(show(backend, "ports"), "egress")["link"], "missing");
  backend.connected = false;
  EXPECT_EQ(named(show(backend, "ports"), "lan")["running"], false);
}

TEST(Show, ZonesCountsWinners) {
  FakeBackend backend;
  const auto zones = show(backend, "zones");
  EXPECT_EQ(named(zones, "onprem")["routes"],
            10);  // Azure's host addresses, two halves, four None of which 10/8 has an override, 9/8, 10.0/16
  EXPECT_EQ(named(zones, "onprem")["duplicates"], 1);
  EXPECT_EQ(named(zones, "internet")["routes"], 13);
}

TEST(Show, NextHopsSayWhichMembersLive) {
  FakeBackend backend;
  const auto firewall = named(show(backend, "next-hops"), "firewall");
  EXPECT_EQ(firewall["alive"], 1);
  EXPECT_EQ(firewall["members"][0]["alive"], true);
  EXPECT_EQ(firewall["members"][0]["mac"], "02:00:00:00:00:0a");
  EXPECT_EQ(firewall["members"][1]["alive"], false);
  EXPECT_THAT(firewall["members"][1]["why"].get<std::string>(), testing::HasSubstr("FAILED"));
}

TEST(Show, NeighboursHasWhatTheKernelDoesNotKnowYet) {
  FakeBackend backend;
  std::map<std::string, std::string> states;
  for (const auto& neighbour : show(backend, "neighbours")) {
    states[neighbour["address"].get<std::string>()] = neighbour["state"].get<std::string>();
  }
  EXPECT_EQ(states, (std::map<std::string, std::string>{
                        {"10.0.1.20", "NONE"}, {"10.0.2.10", "REACHABLE"}, {"10.0.2.11", "FAILED"}}));
}

ipc::Statistics traffic() {
  ipc::Statistics statistics;
  auto* lan = statistics.add_ports();
  lan->set_name("lan");
  lan->mutable_rx()->set_packets(100);
  lan->set_host(5);
  (*lan->mutable_drops())["no_route"] = 10;
  (*lan->mutable_drops())["ttl_expired"] = 0;
  lan->set_missed(4);
  lan->set_held(2);
  (*lan->mutable_steer())["redirected"] = 106;
  (*lan->mutable_steer())["passed_arp"] = 3;
  (*lan->mutable_steer())["dropped_ipv6"] = 4;
  auto* egress = statistics.add_ports();
  egress->set_name("egress");
  egress->mutable_tx()->set_packets(85);
  return statistics;
}

TEST(Show, StatsAccountForEveryPacket) {
  auto statistics = traffic();
  auto stats = show_stats(statistics);
  EXPECT_EQ(stats["balance"], (Json{{"in", 113}, {"out", 113}, {"unaccounted", 0}, {"adds_up", true}}));
  EXPECT_EQ(stats["total"]["steer_passed"], 3);
  EXPECT_EQ(stats["total"]["steer_dropped"], 4);
  EXPECT_EQ(stats["total"]["drops"], 10);
  statistics.mutable_ports(0)->set_held(1);
  EXPECT_EQ(show_stats(statistics)["balance"]["unaccounted"], 1)
      << "steering redirected it and nobody has it";
  EXPECT_EQ(show_stats(statistics)["balance"]["adds_up"], false);
  statistics.mutable_ports(0)->set_waiting(1);
  stats = show_stats(statistics);
  EXPECT_EQ(stats["balance"]["adds_up"], true) << "a worker has it until its neighbour is known";
  for (const auto& account : {stats["total"], stats["ports"][0]}) {
    EXPECT_EQ(account["held"], 1);
    EXPECT_EQ(account["waiting"], 1);
  }
  statistics.mutable_ports(0)->set_waiting(0);
  statistics.mutable_ports(0)->set_held(5);
  EXPECT_EQ(show_stats(statistics)["balance"]["unaccounted"], -3);
  statistics.mutable_ports(0)->mutable_generated()->set_packets(3);
  EXPECT_EQ(show_stats(statistics)["balance"]["adds_up"], true)
      << "what the kernel sent is accounted for, too";
  statistics.mutable_ports(0)->set_redirected_before(50);
  (*statistics.mutable_ports(0)->mutable_steer())["redirected"] += 50;
  EXPECT_EQ(show_stats(statistics)["balance"]["adds_up"], true) << "an earlier dataplane had these";
}

TEST(Show, DropsNamesReasonsWithTheirSentence) {
  const auto drops = show_drops(traffic(), false);
  ASSERT_EQ(drops.size(), 3U) << drops;
  EXPECT_EQ(drops[0], (Json{{"port", "lan"},
                            {"by", "steering"},
                            {"reason", "dropped_ipv6"},
                            {"packets", 4},
                            {"sentence", "IPv6 is not forwarded"}}));
  EXPECT_EQ(drops[1]["reason"], "missed");
  EXPECT_EQ(drops[2]["by"], "dataplane");
  EXPECT_EQ(drops[2]["sentence"], "no route of the zone's table covers the destination");
  const auto all = show_drops(traffic(), true);
  EXPECT_GT(all.size(), 40U);
  for (const auto& drop : all) {
    EXPECT_NE(drop["sentence"], "") << drop;
  }
}

TEST(Show, StateWithAndWithoutDataplane) {
  FakeBackend backend;
  backend.state.set_transaction(3);
  backend.state.set_started_unix_ms(1000);
  const Live live{.state = backend.state, .statistics = std::nullopt};
  auto policy = *backend.policy_;
  policy.warnings = {"this is odd"};
  const auto state =
      show_state(policy, live, {},
                 {.draining_since_unix_ms = 9000, .control_started_unix_ms = 4000, .now_unix_ms = 11'000});
  EXPECT_EQ(state["verdict"], "forwarding");
  EXPECT_EQ(state["severity"], "ok");
  EXPECT_EQ(state["dataplane"]["transaction"], 3);
  EXPECT_EQ(state["dataplane"]["answers"], true);
  EXPECT_EQ(state["dataplane"]["uptime_seconds"], 10);
  EXPECT_EQ(state["control"]["uptime_seconds"], 7);
  EXPECT_EQ(state["warnings"], Json{"this is odd"});
  EXPECT_EQ(state["draining"], (Json{{"since_unix_ms", 9000}, {"seconds", 2}}));
  const auto without = show_state(*backend.policy_, {}, {}, {});
  EXPECT_EQ(without["dataplane"], (Json{{"connected", false}, {"answers", nullptr}}));
  const auto hung = show_state(*backend.policy_, {.connected = true, .error = "no answer"}, {}, {});
  EXPECT_EQ(hung["dataplane"], (Json{{"connected", false}, {"answers", false}}));
  EXPECT_EQ(without["draining"], nullptr);
}

TEST(Show, RefusesWhatNeedsTheDataplane) {
  FakeBackend backend;
  backend.connected = false;
  EXPECT_THAT(error_of(backend, {{"command", "show"}, {"what", "stats"}}),
              testing::HasSubstr("not connected"));
  backend.connected = true;
  backend.broken = "the connection ended";
  EXPECT_EQ(error_of(backend, {{"command", "show"}, {"what", "drops"}}), "the connection ended");
  EXPECT_EQ(named(show(backend, "ports"), "lan")["running"], nullptr) << "it may well run";
  EXPECT_EQ(named(show(backend, "ports"), "lan")["error"], "the connection ended");
}

// The policy alone says little of what happens: whoever shows it has to know that nobody was there to confirm it.
TEST(Show, SaysBesideWhatItKnowsThatTheDataplaneDidNotAnswer) {
  for (const auto* what : {"ports", "zones", "next-hops", "routes", "config", "state"}) {
    FakeBackend backend;
    const Json request{{"command", "show"}, {"what", what}};
    EXPECT_FALSE(ask(backend, request).contains("problem")) << what;
    backend.broken = "it has not answered for 2 s";
    EXPECT_EQ(ask(backend, request)["problem"], "the dataplane does not answer: it has not answered for 2 s");
    backend.connected = false;
    EXPECT_EQ(ask(backend, request)["problem"], "the dataplane is not running: nothing is forwarded");
  }
}

TEST(Show, TheExitIsANextHop) {
  FakeBackend backend;
  const auto entry = named(show(backend, "next-hops"), "Internet");
  EXPECT_EQ(entry["action"], "exit");
  EXPECT_EQ(entry["exit"]["address"], "10.0.2.4");
  EXPECT_EQ(entry["alive"], 1);
}

}  // namespace
}  // namespace sekisho::serve
