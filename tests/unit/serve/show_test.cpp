// SPDX-License-Identifier: BSD-3-Clause
// Control's answers as pure functions, and its server over a real socket.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "common/base/prefix.hpp"
#include "common/ipc/frame.hpp"
#include "common/ipc/seats.hpp"
#include "control/serve/changes.hpp"
#include "control/serve/drain_member.hpp"
#include "control/serve/effective_routes.hpp"
#include "control/serve/explain.hpp"
#include "control/serve/override.hpp"
#include "control/serve/request.hpp"
#include "control/serve/role.hpp"
#include "control/serve/routes.hpp"
#include "control/serve/server.hpp"
#include "control/serve/show.hpp"
#include "control/serve/zone_of.hpp"
#include "dataplane/decide/member.hpp"
#include "dataplane/packet/flow_hash.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::serve {
namespace {

using Protocol = boost::asio::local::stream_protocol;

constexpr std::string_view configuration = R"(
[port.lan]
device = "af_xdp:lan0"
[port.egress]
device = "af_xdp:egress0"
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
[next_hop.vnet]
members = ["10.0.1.20"]
[internet]
via = "firewall"
install = "halves"
exit = { port = "egress" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [{ prefix = "10.0.0.0/16", next_hop = "vnet" }, { prefix = "10.0.0.0/8", next_hop = "vnet" },
          { prefix = "10.0.0.0/16", next_hop = "firewall" }, { prefix = "9.0.0.0/8", next_hop = "Internet" }]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "vnet" }, "many.txt"]
)";

std::uint32_t address(std::string_view text) {
  return base::parse_address(text).value();
}

// A daemon without a kernel, a dataplane or a configuration on disk.
class FakeBackend : public Backend {
 public:
  explicit FakeBackend(std::size_t many = 10) {
    std::string routes;
    for (std::size_t i = 0; i < many; ++i) {
      routes += base::to_string({static_cast<std::uint32_t>((20U << 24) + (i << 8)), 24}) + " vnet\n";
    }
    static_cast<void>(folder.write("many.txt", routes));
    policy_ = policy::read(folder.write("sekisho.toml", configuration)).value();
    mirror_.links[1] = {.index = 1, .name = "lan0", .up = true, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500};
    mirror_.links[2] = {.index = 2, .name = "egress0", .up = true, .mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500};
    mirror_.links[3] = {.index = 3, .name = "sekisho0", .up = true};
    mirror_.addresses[1] = {{address("10.0.1.4"), 24}};
    mirror_.addresses[2] = {{address("10.0.2.4"), 24}};
    mirror_.neighbours[{2, address("10.0.2.10")}] = {
        .state = "REACHABLE", .usable = true, .mac = {2, 0, 0, 0, 0, 10}};
    mirror_.neighbours[{2, address("10.0.2.11")}] = {.state = "FAILED", .usable = false, .mac = {}};
    view_ = sync::view(policy_->config, mirror_);
    view_.exit = reach::Exit{.port = "egress",
                             .netdev = "egress0",
                             .address = address("10.0.2.4"),
                             .gateway = address("10.0.2.1"),
                             .ready = true,
                             .why = "ready"};
  }

  std::shared_ptr<const policy::Policy> policy() const override { return policy_; }
  const netlink::Mirror& mirror() const override { return mirror_; }
  const sync::View& view() const override { return view_; }
  bool dataplane_connected() const override { return connected; }
  Circumstances circumstances() const override { return known; }
  void reload(bool force, std::function<void(tl::expected<Reloaded, std::string>)> done) override {
    forced = force;
    done(reloaded);
  }
  void plan(std::function<void(const Planned&)> done) override { done({.plan = planned, .files = {}}); }
  void rehearse(std::function<void(tl::expected<Plan, std::string>)> done) override { done(planned); }
  const Sources& sources() const override { return sources_; }
  void change_route(OverrideRequest request,
                    std::function<void(tl::expected<Reloaded, std::string>)> done) override {
    overrides_asked.push_back(to_string(request));
    done(reloaded);
  }
  auto drain(bool is_wanted) -> tl::expected<void, std::string> override {
    if (!undrainable.empty()) {
      return tl::unexpected{undrainable};
    }
    draining = is_wanted ? std::optional<std::uint64_t>{1000} : std::nullopt;
    return {};
  }
  auto drain_member(const DrainRequest& request) -> tl::expected<bool, std::string> override {
    return apply(*policy_, view_, request).map([&](sync::Drained drained) {
      return std::exchange(view_.drained, drained) != drained;
    });
  }
  std::optional<std::uint64_t> draining_since_unix_ms() const override { return draining; }
  std::shared_ptr<events::Subscription> subscribe() override { return feed.subscribe(); }
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override {
    asked.push_back(request);
    if (!broken.empty()) {
      done(tl::unexpected{broken});
      return;
    }
    ipc::Reply reply;
    if (request.has_get_state()) {
      *reply.mutable_state() = state;
    } else if (request.has_get_statistics()) {
      *reply.mutable_statistics() = statistics;
    } else if (request.has_lookup()) {
      *reply.mutable_decision() = decide ? decide(request.lookup()) : decision;
    }
    done(std::vector{reply});
  }

  events::Feed feed;
  std::optional<std::uint64_t> draining;
  std::string undrainable;  // why
  test::TemporaryFolder folder;
  std::shared_ptr<const policy::Policy> policy_;
  netlink::Mirror mirror_;
  sync::View view_;
  bool connected = true;
  Circumstances known;
  bool forced = false;
  std::string broken;
  tl::expected<Reloaded, std::string> reloaded;
  tl::expected<Plan, std::string> planned = tl::unexpected<std::string>("no plan");
  Sources sources_;
  std::vector<std::string> overrides_asked;
  ipc::State state;
  ipc::Statistics statistics;
  ipc::Decision decision;
  std::function<ipc::Decision(const ipc::Lookup&)> decide;
  std::vector<ipc::Request> asked;
};

Json ask(FakeBackend& backend, const Json& request) {
  std::vector<Json> replies;
  handle(request, backend, 0, [&](Answer answer) {
    replies.push_back(answer.reply);
    for (auto next = answer.next; next;) {
      auto page = next();
      replies.push_back(page.reply);
      next = page.next;
    }
  });
  EXPECT_GE(replies.size(), 1U) << request;
  auto whole = replies.empty() ? Json() : replies.front();
  for (std::size_t i = 1; i < replies.size(); ++i) {
    whole["result"].insert(whole["result"].end(), replies[i]["result"].begin(), replies[i]["result"].end());
  }
  return whole;
}

Json result_of(FakeBackend& backend, const Json& request) {
  const auto reply = ask(backend, request);
  EXPECT_EQ(reply["ok"], true) << reply;
  return reply.value("result", Json());
}

std::string error_of(FakeBackend& backend, const Json& request) {
  const auto reply = ask(backend, request);
  EXPECT_EQ(reply["ok"], false) << reply;
  return reply.value("error", std::string{});
}

Json named(const Json& list, std::string_view name) {
  for (const auto& entry : list) {
    if (entry["name"] == name) {
      return entry;
    }
  }
  ADD_FAILURE() << "no " << name << " in " << list;
  return {};
}

Json show(FakeBackend& backend, const char* what) {
  return result_of(backend, {{"command", "show"}, {"what", what}});
}

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
  EXPECT_EQ(state["dataplane"]["uptime_seconds"], 10);
  EXPECT_EQ(state["control"]["uptime_seconds"], 7);
  EXPECT_EQ(state["warnings"], Json{"this is odd"});
  EXPECT_EQ(state["draining"], (Json{{"since_unix_ms", 9000}, {"seconds", 2}}));
  const auto without = show_state(*backend.policy_, {}, {}, {});
  EXPECT_EQ(without["dataplane"], (Json{{"connected", false}}));
  EXPECT_EQ(without["draining"], nullptr);
}

TEST(Drain, HoldsUntilItIsTakenBack) {
  FakeBackend backend;
  const auto told = [&](const char* command) { return result_of(backend, {{"command", command}}); };
  EXPECT_EQ(told("drain"), (Json{{"draining", true}, {"since_unix_ms", 1000}, {"changed", true}}));
  EXPECT_EQ(told("drain")["changed"], false);
  EXPECT_EQ(told("undrain"), (Json{{"draining", false}, {"since_unix_ms", nullptr}, {"changed", true}}));
  EXPECT_EQ(told("undrain")["changed"], false);
  backend.undrainable = "/var/lib/sekisho/control.json cannot be written: Read-only file system";
  std::string refusal;
  handle({{"command", "drain"}}, backend, 0,
         [&](const Answer& answer) { refusal = answer.reply.value("error", ""); });
  EXPECT_EQ(refusal, backend.undrainable);
  EXPECT_FALSE(only_reads({{"command", "drain"}}) || only_reads({{"command", "undrain"}}));
}

TEST(Monitor, BeginsWithTheVerdictAndGoesOn) {
  FakeBackend backend;
  std::optional<Answer> page;
  const auto keep = [&](Answer answer) { page = std::move(answer); };
  handle({{"command", "monitor"}}, backend, 0, keep);
  ASSERT_TRUE(page && page->later);
  EXPECT_EQ(page->reply["result"][0]["event"], "verdict");
  EXPECT_EQ(page->reply["more"], true);
  auto later = std::exchange(page, std::nullopt)->later;
  later(keep);
  EXPECT_FALSE(page) << "nothing has happened";
  backend.feed.publish(drain_event(true));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->reply["result"][0]["event"], "drain");
  later = std::exchange(page, std::nullopt)->later;
  for (std::size_t i = 0; i != events::Subscription::most + 3; ++i) {
    backend.feed.publish(drain_event(false));
  }
  later(keep);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->reply["result"].size(), events::Subscription::most + 1);
  EXPECT_EQ(page->reply["result"][0]["event"], "lost");
  EXPECT_EQ(page->reply["result"][0]["count"], 3);
  EXPECT_TRUE(only_reads({{"command", "monitor"}}));
}

TEST(Show, RefusesWhatNeedsTheDataplane) {
  FakeBackend backend;
  backend.connected = false;
  EXPECT_THAT(error_of(backend, {{"command", "show"}, {"what", "stats"}}),
              testing::HasSubstr("not connected"));
  backend.connected = true;
  backend.broken = "the connection ended";
  EXPECT_EQ(error_of(backend, {{"command", "show"}, {"what", "drops"}}), "the connection ended");
  EXPECT_EQ(named(show(backend, "ports"), "lan")["running"], false);
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

std::vector<std::string> prefixes(const Json& routes) {
  std::vector<std::string> result;
  for (const auto& route : routes) {
    result.push_back(route["prefix"].get<std::string>());
  }
  return result;
}

TEST(Routes, WinnersOnlyInOrder) {
  FakeBackend backend;
  const auto routes = result_of(backend, {{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}});
  EXPECT_THAT(prefixes(routes),
              testing::ElementsAre("0.0.0.0/1", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "100.64.0.0/10",
                                   "128.0.0.0/1", "168.63.129.16/32", "169.254.169.254/32", "172.16.0.0/12",
                                   "192.168.0.0/16"));
  EXPECT_EQ(routes[2]["next_hop"], "vnet");      // User before System
  EXPECT_EQ(routes[3]["next_hop"], "firewall");  // the last of two
}

TEST(Routes, PrefixAndLonger) {
  FakeBackend backend;
  Json request{{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}, {"prefix", "10.0.0.0/8"}};
  EXPECT_THAT(prefixes(result_of(backend, request)), testing::ElementsAre("10.0.0.0/8"));
  request["longer"] = true;
  EXPECT_THAT(prefixes(result_of(backend, request)), testing::ElementsAre("10.0.0.0/8", "10.0.0.0/16"));
  request["prefix"] = "0.0.0.0/0";
  EXPECT_EQ(result_of(backend, request).size(), 10U);
  request["prefix"] = "11.0.0.0/8";
  EXPECT_EQ(error_of(backend, request), "no route to 11.0.0.0/8");
  request.erase("zone");
  request["prefix"] = "172.16.0.0/12";  // in both zones
  EXPECT_EQ(result_of(backend, request).size(), 2U);
}

TEST(EffectiveRoutes, SayInAzuresWordsWhatIsInForceAndWhatIsNot) {
  FakeBackend backend;
  const auto routes =
      result_of(backend, {{"command", "effective-routes"}, {"zone", "onprem"}, {"winners", true}});
  EXPECT_EQ(routes.size(), backend.policy_->zone("onprem")->table.candidates().size());
  const auto of = [&](std::string_view prefix) {
    std::vector<Json> result;
    std::ranges::copy_if(routes, std::back_inserter(result),
                         [&](const Json& route) { return route["addressPrefix"] == Json::array({prefix}); });
    return result;
  };
  const auto half = of("0.0.0.0/1");
  ASSERT_EQ(half.size(), 1U);
  EXPECT_EQ(half[0], Json::parse(R"({"addressPrefix": ["0.0.0.0/1"], "destinationServiceTags": [],
      "disableBgpRoutePropagation": false, "hasBgpOverride": false, "name": null,
      "nextHopIpAddress": ["10.0.2.10", "10.0.2.11"], "nextHopType": "VirtualApplianceEcmp", "source": "Default",
      "state": "Active", "tagMap": {}, "overriddenBy": null})"));
  EXPECT_EQ(of("9.0.0.0/8")[0]["nextHopType"], "Internet");
  const auto private_space = of("10.0.0.0/8");
  ASSERT_EQ(private_space.size(), 2U);
  EXPECT_EQ(private_space[0]["nextHopType"], "VirtualAppliance");
  EXPECT_EQ(private_space[0]["nextHopIpAddress"], Json::array({"10.0.1.20"}));
  EXPECT_EQ(private_space[1]["nextHopType"], "None");
  EXPECT_EQ(private_space[1]["state"], "Invalid");
  EXPECT_EQ(private_space[1]["overriddenBy"],
            Json::parse(R"({"addressPrefix": ["10.0.0.0/8"], "nextHopIpAddress": ["10.0.1.20"],
                            "nextHopType": "VirtualAppliance", "source": "User"})"));
  const auto plain = result_of(backend, {{"command", "effective-routes"}, {"zone", "onprem"}});
  EXPECT_FALSE(plain[0].contains("overriddenBy"));
}

TEST(EffectiveRoutes, PagesHoldEveryRouteOnce) {
  constexpr auto many = 2 * EffectivePages::page_size;
  FakeBackend backend{many};
  std::set<std::string> seen;
  for (const auto& route : result_of(backend, {{"command", "effective-routes"}, {"zone", "internet"}})) {
    EXPECT_TRUE(seen.insert(route["addressPrefix"][0].get<std::string>()).second);
  }
  EXPECT_EQ(seen.size(), many + 1 + 2);  // the way back, and the platform's two addresses
}

TEST(EffectiveRoutes, RefuseWhatIsNoZone) {
  FakeBackend backend;
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"zone", "dmz"}}),
            "there is no zone \"dmz\"");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}}), "there is no zone \"\"");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"zone", 1}}), "\"zone\" must be a string");
  EXPECT_EQ(error_of(backend, {{"command", "effective-routes"}, {"winners", 1}}),
            "\"winners\" must be true or false");
}

// A gateway's route has a row for each address, as Azure prints it; one that a user wrote has one row for all.
TEST(EffectiveRoutes, OfBgpHaveARowANextHop) {
  auto table = std::make_shared<route::RouteTable>();
  table->add({{0, 1}, route::Origin::bgp, route::NextHopType::virtual_network_gateway});
  table->add({{0, 0}, route::Origin::user, route::NextHopType::virtual_appliance_ecmp});
  table->finish();
  const std::vector<std::uint32_t> addresses{address("10.1.0.6"), address("10.1.0.7")};
  EffectivePages pages{table,
                       [&](const route::Route& route) -> AzureWords {
                         return {.type = route.type, .addresses = addresses, .name = "r1"};
                       },
                       {.takes_bgp = false}};
  const auto page = pages.next();
  EXPECT_FALSE(pages.more());
  ASSERT_EQ(page.size(), 3U);
  EXPECT_EQ(page[0]["nextHopIpAddress"].size(), 2U);
  EXPECT_EQ(page[0]["name"], "r1");
  EXPECT_EQ(page[0]["disableBgpRoutePropagation"], true);
  EXPECT_EQ(page[1]["nextHopIpAddress"], Json::array({"10.1.0.6"}));
  EXPECT_EQ(page[2]["nextHopIpAddress"], Json::array({"10.1.0.7"}));
  EXPECT_EQ(page[2]["source"], "VirtualNetworkGateway");
}

// A name comes from a file: quotes, control bytes and what is no UTF-8 must not break the document.
TEST(EffectiveRoutes, MayHaveAnyName) {
  for (const auto& [name, expected] :
       {std::pair{"\"a\\\n", "\"a\\\n"}, {"\xff", "\xef\xbf\xbd"}, {"é", "é"}}) {
    auto table = std::make_shared<route::RouteTable>();
    table->add({{0, 0}, route::Origin::user, route::NextHopType::none});
    table->finish();
    EffectivePages pages{table, [&](const route::Route&) -> AzureWords { return {.name = name}; }, {}};
    EXPECT_EQ(pages.next()[0]["name"], expected);
  }
}

TEST(Routes, PagesHoldEveryRouteOnce) {
  constexpr std::size_t others = 3;  // of the zone: one that is written, Azure's host addresses
  for (const auto extra : {RoutePages::page_size - others - 1, RoutePages::page_size - others,
                           RoutePages::page_size - others + 1, 3 * RoutePages::page_size}) {
    FakeBackend backend{extra};
    auto pages = RoutePages::open(backend.policy(), backend.view(),
                                  {.zone = "internet", .prefix = {}, .longer = false})
                     .value();
    std::set<std::string> seen;
    std::size_t count = 0;
    do {
      const auto page = pages.next();
      EXPECT_LE(page.size(), RoutePages::page_size);
      EXPECT_FALSE(page.empty());
      count += page.size();
      for (auto& prefix : prefixes(page)) {
        seen.insert(std::move(prefix));
      }
    } while (pages.more());
    EXPECT_EQ(count, extra + others);
    EXPECT_EQ(seen.size(), extra + others);
  }
}

TEST(Lookup, AsksTheDataplaneWithASourceOfTheZone) {
  FakeBackend backend;
  backend.decide = [](const ipc::Lookup& lookup) {
    ipc::Decision decision;
    decision.set_zone(lookup.source() >> 20 == 0xac1 ? "onprem" : "internet");
    if (lookup.destination() != address("9.9.9.9")) {
      decision.mutable_prefix()->set_length(1);
      decision.set_next_hop("firewall");
    }
    return decision;
  };
  for (const auto* zone : {"onprem", "internet"}) {
    const auto result = result_of(
        backend, {{"command", "lookup"}, {"zone", zone}, {"addresses", Json::array({"1.1.1.1", "9.9.9.9"})}});
    EXPECT_EQ(result[0], (Json{{"address", "1.1.1.1"}, {"prefix", "0.0.0.0/1"}, {"next_hop", "firewall"}}));
    EXPECT_EQ(result[1]["prefix"], nullptr);
  }
  EXPECT_EQ(
      error_of(backend, {{"command", "lookup"}, {"zone", "x"}, {"addresses", Json::array({"1.1.1.1"})}}),
      "there is no zone \"x\"");
  EXPECT_NE(
      error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array({"1.1.1"})}}),
      "");
  EXPECT_NE(error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array({1})}}),
            "");
  EXPECT_NE(error_of(backend, {{"command", "lookup"}, {"zone", "onprem"}, {"addresses", Json::array()}}), "");
  backend.broken = "gone";
  EXPECT_EQ(error_of(backend, {{"command", "lookup"},
                               {"zone", "onprem"},
                               {"addresses", Json::array({"1.1.1.1", "2.2.2.2"})}}),
            "gone");
}

// The dataplane decides before it knows a zone, and so do the command without a daemon and `explain`.
TEST(Lookup, SaysWhatIsDroppedBeforeAnyTable) {
  FakeBackend backend;
  backend.decide = [](const ipc::Lookup& lookup) {
    ipc::Decision decision;
    if (lookup.destination() == address("1.1.1.1")) {
      decision.set_zone("onprem");
      decision.set_next_hop("firewall");
    }
    return decision;
  };
  const auto result = result_of(backend, {{"command", "lookup"},
                                          {"zone", "onprem"},
                                          {"addresses", Json::array({"127.0.0.1", "169.254.1.1", "240.0.0.1",
                                                                     "0.0.0.1", "224.0.0.5", "1.1.1.1"})}});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(result[i]["before_tables"], "martian_destination");
    EXPECT_EQ(result[i]["prefix"], nullptr);
    EXPECT_EQ(result[i]["next_hop"], nullptr);
  }
  EXPECT_EQ(result[4]["before_tables"], "multicast");
  EXPECT_FALSE(result[5].contains("before_tables"));
}

ipc::Decision agreeing() {
  ipc::Decision decision;
  decision.set_zone("onprem");
  decision.mutable_source_prefix()->set_address(address("172.16.0.0"));
  decision.mutable_source_prefix()->set_length(12);
  decision.set_port_allowed(true);
  decision.mutable_prefix()->set_length(1);
  decision.set_next_hop("firewall");
  auto* adjacency = decision.mutable_adjacency();
  adjacency->mutable_key()->set_port("egress");
  adjacency->mutable_key()->set_address(address("10.0.2.10"));
  adjacency->set_alive(true);
  return decision;
}

const Json explain_request{
    {"command", "explain"}, {"source", "172.16.0.1"}, {"destination", "1.1.1.1"}, {"port", "lan"}};

TEST(Explain, AgreesWithTheDataplane) {
  FakeBackend backend;
  backend.decision = agreeing();
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "forward");
  EXPECT_EQ(result["dataplane"]["agrees"], true) << result;
  EXPECT_EQ(result["dataplane"]["adjacency"]["address"], "10.0.2.10");
  ASSERT_EQ(backend.asked.size(), 1U);
  EXPECT_EQ(backend.asked[0].lookup().port(), "lan");
}

TEST(Explain, SaysWhereTheDataplaneDecidesOtherwise) {
  FakeBackend backend;
  const auto differences = [&](const std::function<void(ipc::Decision&)>& change) {
    backend.decision = agreeing();
    change(backend.decision);
    std::vector<std::string> what;
    const auto result = result_of(backend, explain_request);
    for (const auto& difference : result["dataplane"]["differences"]) {
      what.push_back(difference["what"].get<std::string>());
    }
    return what;
  };
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_next_hop("vnet"); }),
              testing::ElementsAre("next hop"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.mutable_prefix()->set_length(0); }),
              testing::ElementsAre("prefix"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_zone("other"); }), testing::ElementsAre("zone"));
  EXPECT_THAT(differences([](ipc::Decision& d) { d.set_drop_reason("next_hop_down"); }),
              testing::ElementsAre("verdict"));
  EXPECT_THAT(differences([](ipc::Decision& d) {
                d.clear_next_hop();
                d.clear_prefix();
                d.set_drop_reason("no_route");
              }),
              testing::ElementsAre("prefix", "next hop", "verdict"));
}

TEST(Explain, TheKernelsDeadMembersDropIt) {
  FakeBackend backend;
  backend.mirror_.links[2].up = false;
  backend.view_.members = reach::members(backend.policy_->config, backend.mirror_);
  backend.connected = false;
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["configured"]["drop_reason"], "next_hop_down");
  EXPECT_EQ(result["dataplane"], nullptr);
}

TEST(Explain, WithoutADataplaneNothingIsForwarded) {
  FakeBackend backend;
  backend.connected = false;
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["sentence"], "the dataplane is not running");
  EXPECT_EQ(result["configured"]["verdict"], "forward");
  EXPECT_EQ(result["fault"], true);
  auto own = explain_request;
  own["destination"] = "10.0.1.4";  // steering passes it to the kernel
  EXPECT_EQ(result_of(backend, own)["verdict"], "host");
}

TEST(Explain, ADataplaneThatHangsIsNoVerdict) {
  FakeBackend backend;
  backend.broken = "no answer within 5 s";
  const auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "unknown");
  EXPECT_THAT(result["sentence"].get<std::string>(), testing::HasSubstr("no answer within 5 s"));
  EXPECT_EQ(result["fault"], true);
}

TEST(Explain, EndsWithWhatTheDataplaneDoes) {
  FakeBackend backend;
  backend.decision = agreeing();
  EXPECT_EQ(result_of(backend, explain_request)["fault"], false);
  backend.decision.set_drop_reason("no_route");
  auto result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["drop_reason"], "no_route");
  EXPECT_EQ(result["sentence"], "the dataplane drops it, although the configuration says forward");
  EXPECT_EQ(result["fault"], true);
  backend.decision = agreeing();
  backend.decision.set_next_hop("vnet");
  result = result_of(backend, explain_request);
  EXPECT_EQ(result["sentence"],
            "the dataplane forwards it by next hop vnet, although the configuration says forward by next hop "
            "firewall");
  backend.decision = agreeing();
  backend.known.failed_ports = {{"lan", "no such device"}};
  result = result_of(backend, explain_request);
  EXPECT_EQ(result["verdict"], "drop");
  EXPECT_EQ(result["sentence"], "port lan does not run: no such device");
}

TEST(Explain, OwnAddressesBelongToTheHost) {
  FakeBackend backend;
  auto request = explain_request;
  request["destination"] = "10.0.1.4";
  EXPECT_EQ(result_of(backend, request)["verdict"], "host");
  request["destination"] = "10.0.2.4";  // of the other port: never the firewall's
  const auto other = result_of(backend, request);
  EXPECT_EQ(other["configured"]["verdict"], "host");
  EXPECT_EQ(other["next_hop"], "host");
  EXPECT_EQ(other["candidates"][0]["prefix"], "10.0.2.4/32");
  EXPECT_EQ(other["candidates"][1]["wins"], false);
  backend.mirror_.links.erase(3);
  EXPECT_EQ(result_of(backend, request)["configured"]["drop_reason"], "no_host_companion");
  request["source"] = "8.8.8.8";  // by the other port it has to be somebody's source first
  EXPECT_EQ(result_of(backend, request)["configured"]["drop_reason"], "spoofed_source");
}

TEST(NextHop, DrainsAMemberAndSaysSo) {
  FakeBackend backend;
  const Json drain{
      {"command", "next-hop"}, {"verb", "drain"}, {"next_hop", "firewall"}, {"member", "10.0.2.10"}};
  auto request = drain;
  request["member"] = "10.0.9.9";
  EXPECT_EQ(error_of(backend, request), "next hop firewall has no member 10.0.9.9");
  request["member"] = "10.0.2";
  EXPECT_NE(error_of(backend, request), "");
  request = drain;
  request["verb"] = "drop";
  EXPECT_EQ(error_of(backend, request), "\"verb\" is drain or undrain");
  request = drain;
  request["force"] = true;
  const auto done = result_of(backend, request);
  EXPECT_EQ(done["drained"], true);
  EXPECT_EQ(done["changed"], true);
  EXPECT_EQ(result_of(backend, request)["changed"], false);
  const auto shown = result_of(backend, {{"command", "show"}, {"what", "next-hops"}})[0];
  EXPECT_EQ(shown["members"][0]["drained"], true);
  EXPECT_EQ(shown["members"][0]["weight"], 1);
  EXPECT_EQ(result_of(backend, explain_request)["members"][0]["drained"], true);
  request["verb"] = "undrain";
  EXPECT_EQ(result_of(backend, request)["drained"], false);
  EXPECT_TRUE(backend.view_.drained.empty());
}

TEST(NextHop, WhatIsKeptOfDrainedMembersIsReadBack) {
  const sync::Drained drained{{"firewall", address("10.0.2.10")},
                              {"firewall", address("10.0.2.11")},
                              {"other", address("10.0.2.10")}};
  EXPECT_EQ(drained_of(drained_json(drained)), drained);
  for (const auto* other : {"null", "7", "[]", R"({"firewall": 7})", R"({"firewall": [7, "x", null]})"}) {
    EXPECT_TRUE(drained_of(Json::parse(other)).empty()) << other;
  }
}

TEST(Explain, NamesTheMemberThatTheFlowHashesTo) {
  FakeBackend backend;
  backend.decision = agreeing();
  const auto firewall =
      std::ranges::find(backend.policy_->config.next_hops, "firewall", &config::NextHop::name);
  std::vector<std::uint32_t> living;
  std::vector<decide::Member> members;
  decide::MemberMask alive = 0;
  for (const auto member : firewall->members) {
    const auto& known = backend.view_.members;
    if (std::ranges::find(known, member, &reach::Member::address)->alive) {
      living.push_back(member);
      alive |= decide::MemberMask{1} << members.size();
    }
    members.push_back({member});
  }
  const decide::Preferences preferences(members);
  ASSERT_FALSE(living.empty());
  auto request = explain_request;
  request["protocol"] = "tcp";
  request["destination_port"] = 443;
  // The dataplane is asked about a ping; what it says of the member is compared for one.
  const auto ping = result_of(backend, explain_request)["member"].get<std::string>();
  for (const auto member : living) {
    backend.decision.mutable_adjacency()->mutable_key()->set_address(member);
    EXPECT_EQ(result_of(backend, explain_request)["dataplane"]["agrees"],
              base::address_to_string(member) == ping);
  }
  std::set<std::string> offline;
  for (unsigned port = 1; port < 40; ++port) {
    request["source_port"] = port;
    const packet::Flow flow{.source = address("172.16.0.1"),
                            .destination = address("1.1.1.1"),
                            .protocol = packet::Protocol::tcp,
                            .source_port = static_cast<std::uint16_t>(port),
                            .destination_port = 443};
    const auto chosen =
        members[preferences.choose(preferences.bucket_of(packet::flow_hash(flow)), alive)].address;
    const auto said = result_of(backend, request);
    EXPECT_EQ(said["member"], base::address_to_string(chosen));
    EXPECT_EQ(said["dataplane"]["agrees"], true) << said;
    offline.insert(explain(*backend.policy_,
                           {.source = flow.source,
                            .destination = flow.destination,
                            .port = "lan",
                            .protocol = flow.protocol,
                            .source_port = flow.source_port,
                            .destination_port = flow.destination_port},
                           {})["member"]);
  }
  EXPECT_EQ(offline.size(), firewall->members.size()) << "every member has flows";
  request["protocol"] = "icmp";
  EXPECT_EQ(error_of(backend, request), "\"source_port\" requires protocol tcp or udp");
  request["protocol"] = "256";
  EXPECT_EQ(error_of(backend, request), "\"256\" is neither tcp, udp, icmp nor a number up to 255");
  request["protocol"] = "tcp";
  request["source_port"] = 65536;
  EXPECT_EQ(error_of(backend, request), "\"source_port\" is a number up to 65535");
}

// 10.0.2.0/24 of port egress, with a User route of 10.0.0.0/8 and 10.0.0.0/16 behind it.
class ConnectedZone : public testing::Test {
 protected:
  ConnectedZone() {
    auto policy = std::make_shared<policy::Policy>(*backend_.policy_);
    policy->config.zones[1].connected = policy->zones[1].connected = true;
    EXPECT_EQ(policy->zones[1].name, "onprem");
    backend_.policy_ = policy;
    backend_.mirror_.neighbours[{2, host_}] = {
        .state = "REACHABLE", .usable = true, .mac = {2, 0, 0, 0, 0, 7}};
    backend_.connected = false;
  }
  void look(const std::set<std::uint32_t>& hosts) {
    const auto exit = backend_.view_.exit;
    backend_.view_ = sync::view(backend_.policy_->config, backend_.mirror_, {}, hosts);
    backend_.view_.exit = exit;
  }
  Json explained(const char* destination) {
    auto request = explain_request;
    request["destination"] = destination;
    return result_of(backend_, request);
  }

  FakeBackend backend_;
  const std::uint32_t host_ = address("10.0.2.7");
};

TEST_F(ConnectedZone, IsExplained) {
  look({});
  const auto unknown = explained("10.0.2.7");
  EXPECT_EQ(unknown["configured"]["drop_reason"], "neighbour_unresolved");
  EXPECT_EQ(unknown["next_hop"], "connected");
  EXPECT_EQ(unknown["candidates"][0]["source"], "connected prefix of port egress");
  EXPECT_EQ(unknown["candidates"][0]["origin"], "System");
  EXPECT_EQ(unknown["candidates"][0]["why"], "longest prefix");
  EXPECT_EQ(unknown["candidates"][1]["wins"], false);
  EXPECT_EQ(unknown["candidates"][1]["why"], "shorter than 10.0.2.0/24");
  EXPECT_EQ(explained("10.0.2.0")["configured"]["drop_reason"], "null_route");

  look({host_});
  const auto known = explained("10.0.2.7");
  EXPECT_EQ(known["configured"]["verdict"], "forward");
  EXPECT_EQ(known["next_hop"], "host-10-0-2-7");
  EXPECT_EQ(known["members"][0]["mac"], "02:00:00:00:00:07");
  EXPECT_EQ(known["candidates"][0]["source"], "host on port egress");
  EXPECT_EQ(known["candidates"][1]["why"], "shorter than 10.0.2.7/32");
  EXPECT_EQ(explained("9.9.9.9")["next_hop"], "Internet");
}

TEST_F(ConnectedZone, AgreesWithTheDataplane) {
  look({});
  backend_.connected = true;
  backend_.decision = agreeing();
  backend_.decision.clear_adjacency();
  backend_.decision.set_next_hop("connected");
  backend_.decision.set_drop_reason("neighbour_unresolved");
  backend_.decision.mutable_prefix()->set_address(address("10.0.2.0"));
  backend_.decision.mutable_prefix()->set_length(24);
  const auto said = explained("10.0.2.7");
  EXPECT_EQ(said["dataplane"]["agrees"], true) << said;
}

TEST_F(ConnectedZone, IsShownAmongTheRoutes) {
  look({host_});
  const Json all{{"command", "show"}, {"what", "routes"}, {"zone", "onprem"}};
  std::vector<std::string> shown;
  for (const auto& route : result_of(backend_, all)) {
    shown.push_back(route["prefix"].get<std::string>() + " " + route["next_hop"].get<std::string>());
  }
  EXPECT_THAT(shown,
              testing::IsSupersetOf({"10.0.1.0/24 connected", "10.0.2.0/24 connected", "10.0.2.0/32 None",
                                     "10.0.2.7/32 host-10-0-2-7", "10.0.2.255/32 None"}));
  EXPECT_EQ(std::set<std::string>(shown.begin(), shown.end()).size(), shown.size());
  auto one = all;
  one["prefix"] = "10.0.2.7/32";
  ASSERT_EQ(result_of(backend_, one).size(), 1U);
  EXPECT_EQ(result_of(backend_, one)[0]["source"], "host on port egress");
  one["prefix"] = "10.0.2.0/24";
  one["longer"] = true;
  EXPECT_EQ(result_of(backend_, one).size(), 4U);
  one["zone"] = "internet";
  EXPECT_NE(error_of(backend_, one), "");
}

TEST(Explain, AnExceptionLeavesByTheExitOrSaysWhyNot) {
  FakeBackend backend;
  backend.decision = agreeing();
  backend.decision.clear_adjacency();
  backend.decision.set_next_hop("internet");
  backend.decision.mutable_prefix()->set_address(address("9.0.0.0"));
  backend.decision.mutable_prefix()->set_length(8);
  auto request = explain_request;
  request["destination"] = "9.9.9.9";
  const auto ready = result_of(backend, request);
  EXPECT_EQ(ready["verdict"], "exit");
  EXPECT_EQ(ready["next_hop"], "Internet");
  EXPECT_EQ(ready["sentence"], "leaves by sekisho0, masqueraded as 10.0.2.4 out of egress0");
  EXPECT_EQ(ready["dataplane"]["agrees"], true) << ready;

  backend.view_.exit->ready = false;
  backend.view_.exit->why = "gateway 10.0.2.1 is FAILED";
  backend.decision.set_drop_reason("next_hop_down");
  const auto down = result_of(backend, request);
  EXPECT_EQ(down["drop_reason"], "next_hop_down");
  EXPECT_EQ(down["sentence"], "next hop Internet is down: gateway 10.0.2.1 is FAILED");
  EXPECT_EQ(down["dataplane"]["agrees"], true) << down;

  const auto offline = explain(*backend.policy_, {address("172.16.0.1"), address("9.9.9.9"), "lan"}, {});
  EXPECT_EQ(offline["sentence"], "leaves by sekisho0, masqueraded, out of port egress");
}

TEST(Show, TheExitIsANextHop) {
  FakeBackend backend;
  const auto entry = named(show(backend, "next-hops"), "Internet");
  EXPECT_EQ(entry["action"], "exit");
  EXPECT_EQ(entry["exit"]["address"], "10.0.2.4");
  EXPECT_EQ(entry["alive"], 1);
}

TEST(Explain, RefusesWhatItCannotRead) {
  FakeBackend backend;
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{{"source", "x"},
                                                                            {"source", 1},
                                                                            {"destination", nullptr},
                                                                            {"port", "wan"},
                                                                            {"port", Json::array()}}) {
    auto request = explain_request;
    request[key] = value;
    EXPECT_NE(error_of(backend, request), "");
  }
}

TEST(Reload, OfADryRunOnlyThePlan) {
  FakeBackend backend;
  backend.reloaded = tl::unexpected{std::string{"this was no dry run"}};
  const Json request{{"command", "reload"}, {"dry_run", true}};
  EXPECT_EQ(error_of(backend, request), "no plan");
  const auto view = sync::view(backend.policy()->config, backend.mirror());
  backend.planned = Plan{backend.policy(), view, backend.policy(), view};
  EXPECT_EQ(result_of(backend, request)["routes"]["added"], 0);
  EXPECT_EQ(show(backend, "config")["reload"]["routes"]["added"], 0);
}

TEST(Reload, OfAMisspeltDryRunIsNone) {
  FakeBackend backend;
  backend.reloaded = tl::unexpected{std::string{"this was a reload"}};
  EXPECT_EQ(error_of(backend, {{"command", "reload"}, {"dry-run", true}}),
            "there is no \"dry-run\" in this request");
}

TEST(Override, IsGivenToTheDaemon) {
  FakeBackend backend;
  const Json request{{"command", "route"}, {"verb", "del"}, {"zone", "onprem"}, {"prefix", "10.0.0.0/8"}};
  backend.reloaded = Reloaded{.applied = true, .committed = {}, .warnings = {}};
  EXPECT_EQ(result_of(backend, request)["applied"], true);
  EXPECT_THAT(backend.overrides_asked, testing::ElementsAre("del 10.0.0.0/8 in zone onprem"));
  backend.reloaded = tl::unexpected{std::string{"no"}};
  EXPECT_EQ(error_of(backend, request), "no");
  EXPECT_THAT(error_of(backend, {{"command", "route"}}), testing::HasSubstr("verb"));
}

TEST(Reload, SaysWhatChangedOrWhyNot) {
  FakeBackend backend;
  backend.reloaded = Reloaded{.applied = true, .committed = {}, .warnings = {"w"}};
  backend.reloaded->committed.set_routes_added(5);
  backend.reloaded->committed.set_transaction(2);
  backend.reloaded->committed.add_failed_ports()->set_error("no such device");
  const auto result = result_of(backend, {{"command", "reload"}});
  EXPECT_EQ(result["routes_added"], 5);
  EXPECT_EQ(result["transaction"], 2);
  EXPECT_EQ(result["failed_ports"][0]["error"], "no such device");
  backend.reloaded = tl::unexpected{std::string{"sekisho.toml:3: no"}};
  EXPECT_EQ(error_of(backend, {{"command", "reload"}}), "sekisho.toml:3: no");
}

TEST(Requests, UnknownOnesAreRefused) {
  FakeBackend backend;
  EXPECT_EQ(error_of(backend, {{"command", "dance"}}), "there is no command \"dance\"");
  EXPECT_NE(error_of(backend, Json::object()), "");
  EXPECT_NE(error_of(backend, {{"command", 1}}), "");
  EXPECT_NE(error_of(backend, {{"command", "show"}, {"what", "love"}}), "");
  EXPECT_NE(error_of(backend, {{"command", "show"}, {"what", "routes"}, {"longer", "yes"}}), "");
  backend.policy_ = nullptr;
  EXPECT_EQ(error_of(backend, {{"command", "show"}, {"what", "ports"}}), "no configuration is loaded");
}

// The server runs on a thread of its own; the tests are its clients.
class Socket : public testing::Test {
 protected:
  Socket() : path_(backend_.folder.path() / "control.sock") {}

  void start() {
    auto server = Server::listen(io_, path_, backend_, options_);
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~Socket() override {
    io_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  Protocol::socket client() {
    Protocol::socket socket{client_io_};
    socket.connect(path_.string());
    return socket;
  }
  static void send(Protocol::socket& socket, const std::string& bytes) {
    boost::asio::write(socket, boost::asio::buffer(bytes));
  }
  static Json receive(Protocol::socket& socket) {
    ipc::FrameHeader header{};
    boost::asio::read(socket, boost::asio::buffer(header));
    std::string body(ipc::frame_length(header), '\0');
    boost::asio::read(socket, boost::asio::buffer(body));
    return Json::parse(body);
  }
  static bool ends(Protocol::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    boost::asio::read(socket, boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  }

  FakeBackend backend_{3 * RoutePages::page_size};
  std::filesystem::path path_;
  Server::Options options_;
  boost::asio::io_context io_;
  boost::asio::io_context client_io_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

const std::string zones_request = R"({"command":"show","what":"zones"})";

TEST_F(Socket, OnlyItsOwnerMayConnect) {
  start();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Socket, AnswersSeveralClientsAndSeveralRequests) {
  start();
  auto first = client();
  auto second = client();
  send(first, ipc::frame(zones_request));
  send(second, ipc::frame(zones_request) + ipc::frame(R"({"command":"dance"})") + ipc::frame(zones_request));
  EXPECT_EQ(receive(second)["ok"], true);
  EXPECT_EQ(receive(second)["ok"], false);
  EXPECT_EQ(receive(second)["ok"], true);
  EXPECT_EQ(receive(first)["ok"], true);
}

TEST_F(Socket, StreamsRoutesInPages) {
  start();
  auto socket = client();
  send(socket, ipc::frame(R"({"command":"show","what":"routes","zone":"internet"})"));
  std::size_t routes = 0;
  std::size_t pages = 0;
  for (auto more = true; more; ++pages) {
    const auto reply = receive(socket);
    ASSERT_EQ(reply["ok"], true);
    routes += reply["result"].size();
    more = reply.value("more", false);
  }
  EXPECT_EQ(routes, 3 * RoutePages::page_size + 3);
  EXPECT_EQ(pages, 4U);
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["result"].size(), 2U);
}

TEST_F(Socket, AClientThatLeavesInTheMiddleHurtsNobody) {
  start();
  for (int i = 0; i < 20; ++i) {
    auto socket = client();
    send(socket, ipc::frame(R"({"command":"show","what":"routes"})"));
  }
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Socket, HostileInputEndsTheConnectionAndNothingElse) {
  start();
  const std::vector<std::string> hostile{
      std::string{"\0\0\0\0", 4},
      "\xff\xff\xff\xff",
      std::string{"\0\x10\0\x01", 4},  // one more than a request may have
      ipc::frame("not JSON"),
      ipc::frame("[]"),
      ipc::frame("\"show\""),
      ipc::frame("\xff\xfe"),
      ipc::frame("{\"command\":\"show\""),
      ipc::frame(std::string(500'000, '[')),
      ipc::frame(std::string(500'000, '[') + std::string(500'000, ']')),
      "GET / HTTP/1.1\r\n\r\n",
  };
  for (const auto& bytes : hostile) {
    auto socket = client();
    send(socket, bytes);
    EXPECT_TRUE(ends(socket)) << bytes.substr(0, 40);
  }
  auto socket = client();
  send(socket, ipc::frame("{\"command\":\"\xff\"}").substr(0, 6));  // and half a frame
  socket.close();
  auto other = client();
  send(other, ipc::frame(zones_request));
  EXPECT_EQ(receive(other)["ok"], true);
}

TEST_F(Socket, WhoOnlyHoldsAConnectionMakesRoom) {
  start();
  std::vector<Protocol::socket> clients;
  for (std::size_t i = 0; i < ipc::most_seats; ++i) {
    clients.push_back(client());
    send(clients.back(), ipc::frame(zones_request));
    EXPECT_EQ(receive(clients.back())["ok"], true);
  }
  auto late = client();
  send(late, ipc::frame(zones_request));
  EXPECT_EQ(receive(late)["ok"], true);
  EXPECT_TRUE(ends(clients.front()));
  send(clients.back(), ipc::frame(zones_request));
  EXPECT_EQ(receive(clients.back())["ok"], true);
}

TEST_F(Socket, WhoAsksNothingOrHalfARequestIsLetGo) {
  options_.patience = std::chrono::milliseconds{50};
  start();
  auto silent = client();
  auto half = client();
  send(half, ipc::frame(zones_request).substr(0, 10));
  EXPECT_TRUE(ends(silent));
  EXPECT_TRUE(ends(half));
}

// In a process of another user's, which has connected before; what it says is its exit code.
class Roles : public Socket {
 protected:
  // Member of those groups alone, numbered as in group(5).
  Json ask_as_nobody(std::vector<gid_t> groups, const Json& request) {
    constexpr unsigned nobody = 65534;
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const auto child = ::fork();
    if (child == 0) {
      if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) {
        ::_exit(1);
      }
      boost::asio::io_context io;
      Protocol::socket socket{io};
      socket.connect(path_.string());
      send(socket, ipc::frame(request.dump()));
      const auto reply = receive(socket).dump();
      ::_exit(::write(ends[1], reply.data(), reply.size()) < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    std::string reply;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(ends[0], part.data(), part.size())) > 0;) {
      reply.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return Json::parse(reply, nullptr, false);
  }
  void serve(const std::string& admin_group) {
    options_ = {.access = {.user = {}, .group = "daemon"}, .admin_group = admin_group};
    start();
    std::filesystem::permissions(backend_.folder.path(), std::filesystem::perms{0755});
    backend_.reloaded = Reloaded{.applied = true};
  }
  static gid_t number(const char* group) { return ::getgrnam(group)->gr_gid; }
};

const Json exception_past_the_firewall{{"command", "route"},
                                       {"verb", "add"},
                                       {"zone", "onprem"},
                                       {"prefix", "8.0.0.0/8"},
                                       {"next_hop", "Internet"}};

TEST_F(Roles, TheGroupReadsAndChangesNothing) {
  serve("");
  EXPECT_EQ(ask_as_nobody({number("daemon")}, Json::parse(zones_request))["ok"], true);
  for (const auto& change :
       {exception_past_the_firewall, Json{{"command", "reload"}}, Json{{"command", "something-new"}}}) {
    const auto reply = ask_as_nobody({number("daemon")}, change);
    EXPECT_EQ(reply["ok"], false);
    EXPECT_THAT(reply["error"].get<std::string>(), testing::HasSubstr("only root may"));
  }
  EXPECT_TRUE(backend_.overrides_asked.empty());
  const auto dry = ask_as_nobody({number("daemon")}, {{"command", "reload"}, {"dry_run", true}});
  EXPECT_EQ(dry["error"], "no plan") << "asked, that is";
}

TEST_F(Roles, TheSecondGroupChanges) {
  serve("adm");
  const auto refused = ask_as_nobody({number("daemon")}, exception_past_the_firewall);
  EXPECT_THAT(refused["error"].get<std::string>(), testing::HasSubstr("only root and group adm may"));
  EXPECT_EQ(ask_as_nobody({number("daemon"), number("adm")}, exception_past_the_firewall)["ok"], true);
  EXPECT_EQ(backend_.overrides_asked.size(), 1U);
}

TEST_F(Roles, RootChanges) {
  serve("");
  auto socket = client();
  send(socket, ipc::frame(exception_past_the_firewall.dump()));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Roles, AGroupThatIsNotThereIsSaid) {
  const auto server = Server::listen(io_, path_, backend_, {.access = {}, .admin_group = "no-such-group"});
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error(), testing::HasSubstr("no group \"no-such-group\" for --admin-group"));
}

TEST_F(Socket, ReplacesADeadSocketAndRefusesALivingOne) {
  { Protocol::acceptor dead{client_io_, Protocol::endpoint{path_.string()}}; }
  ASSERT_TRUE(std::filesystem::exists(path_));
  start();
  boost::asio::io_context io;
  const auto second = Server::listen(io, path_, backend_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), testing::HasSubstr("another process serves it"));
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
}

TEST_F(Socket, RefusesPathsThatItCannotHave) {
  const auto file = backend_.folder.write("file", "precious");
  for (const auto& path : {file, std::filesystem::path{std::string(200, 'x')}, file / "below"}) {
    const auto server = Server::listen(io_, path, backend_);
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error(), testing::StartsWith("cannot listen on " + path.string() + ": "));
  }
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

TEST_F(Socket, RemovesItsSocketWhenItEnds) {
  start();
  auto socket = client();
  send(socket, ipc::frame(zones_request));
  EXPECT_EQ(receive(socket)["ok"], true);
  io_.stop();
  thread_.join();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace sekisho::serve
