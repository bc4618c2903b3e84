// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/prefix.hpp"
#include "control/sync/transaction.hpp"
#include "tests/unit/sync/world.hpp"

namespace sekisho::sync {
namespace {

using namespace world;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Full, NamesPortsNextHopsAdjacenciesAndZones) {
  const auto changes = full(example(), example_view());
  const auto& first = changes.at(0);
  ASSERT_EQ(first.ports_size(), 2);
  EXPECT_EQ(first.ports(1).name(), "lan");
  EXPECT_EQ(first.ports(1).device(), "af_xdp:eth0");
  EXPECT_EQ(first.ports(1).mtu(), 1400u);
  EXPECT_THAT(first.ports(1).local(), ElementsAre(lan_address, 0x0a0001ff));

  ASSERT_EQ(first.adjacencies_size(), 2);  // what no port leads to has none
  EXPECT_EQ(first.adjacencies(0).key().port(), "egress");
  EXPECT_EQ(first.adjacencies(0).key().address(), firewall);
  EXPECT_EQ(first.adjacencies(0).mac(), std::string("\x02\0\0\0\0\x01", 6));
  EXPECT_TRUE(first.adjacencies(0).alive());
  EXPECT_EQ(first.adjacencies(1).mac(), "");
  EXPECT_FALSE(first.adjacencies(1).alive());

  std::map<std::string, std::pair<ipc::NextHop::Action, int>> next_hops;
  for (const auto& next_hop : first.next_hops()) {
    next_hops[next_hop.name()] = {next_hop.action(), next_hop.members_size()};
  }
  EXPECT_THAT(next_hops, UnorderedElementsAre(Pair("host", Pair(ipc::NextHop::HOST, 0)),
                                              Pair("none", Pair(ipc::NextHop::DROP, 0)),
                                              Pair("firewall", Pair(ipc::NextHop::FORWARD, 2)),
                                              Pair("far", Pair(ipc::NextHop::FORWARD, 1))));

  ASSERT_EQ(first.zones_size(), 2);
  EXPECT_EQ(first.zones(0).name(), "onprem");
  EXPECT_THAT(first.zones(0).ports(), ElementsAre("lan"));
  ASSERT_EQ(first.zones(0).sources_size(), 1);
  EXPECT_EQ(first.zones(0).sources(0).address(), 0xac100000u);
  EXPECT_EQ(first.zones(0).sources(0).length(), 12u);
}

TEST(Full, SaysWhichPortClamps) {
  auto policy = example();
  policy.config.ports[0].mss_clamp = 1360;
  policy.config.ports[1].mss_clamp = 0;
  const auto first = full(policy, example_view()).at(0);
  EXPECT_EQ(first.ports(0).mss_clamp().most(), 1360U);
  EXPECT_TRUE(first.ports(1).has_mss_clamp());
  EXPECT_EQ(first.ports(1).mss_clamp().most(), 0U);
  EXPECT_FALSE(full(example(), example_view()).at(0).ports(0).has_mss_clamp());
}

std::vector<std::string> host_sources_of(const ipc::Port& port) {
  std::vector<std::string> result;
  for (const auto& source : port.host_sources()) {
    result.push_back(base::to_string({source.address(), static_cast<std::uint8_t>(source.length())}));
  }
  return result;
}

TEST(Full, SaysWhoMaySpeakToTheApplianceByAPort) {
  auto policy = example();
  auto view = example_view();
  view.ports[0].subnets = {{0x0a000200, 24}};
  const auto first = [&] { return full(policy, view).at(0); };
  EXPECT_THAT(host_sources_of(first().ports(0)),
              ElementsAre("10.0.2.0/24", "168.63.129.16/32", "169.254.0.0/16"));
  policy.config.ports[0].gateway = 0x0a000001;
  policy.config.ports[0].host_sources = {{0xc0a80000, 16}, {0x0a000200, 24}};
  policy.config.bgp = config::Bgp{.peers = {{.address = 0x0a000901}}};
  policy.config.internet = config::Internet{.exit = "egress"};
  policy.exceptions = {{0x147663e0, 32}};
  EXPECT_THAT(host_sources_of(first().ports(0)),
              ElementsAre("10.0.0.1/32", "10.0.2.0/24", "10.0.9.1/32", "20.118.99.224/32", "168.63.129.16/32",
                          "169.254.0.0/16", "192.168.0.0/16"));
  EXPECT_THAT(host_sources_of(first().ports(1)),
              ElementsAre("10.0.9.1/32", "168.63.129.16/32", "169.254.0.0/16"));
}

TEST(Full, SendsOurOwnAddressesToTheHostInEveryZone) {
  const auto result = tables(full(example(), example_view()));
  EXPECT_EQ(result.at("vnet"), (Table{{{lan_address, 32}, "host"}, {{0x0a000204, 32}, "host"}}));
  // Also where the policy has a route for exactly this address.
  EXPECT_EQ(result.at("onprem"), (Table{{{0, 1}, "firewall"},
                                        {{0x80000000, 1}, "firewall"},
                                        {{0x0a000000, 8}, "none"},
                                        {{lan_address, 32}, "host"},
                                        {{0x0a000204, 32}, "host"}}));
}

TEST(Full, FillsChangesWithAtMost100000Routes) {
  policy::Policy policy = example();
  std::vector<std::pair<base::Prefix, std::string>> routes;
  for (std::uint32_t i = 0; i < 250'000; ++i) {
    routes.push_back({{0x14000000 + (i << 4), 28}, i % 2 == 0 ? "firewall" : "None"});
  }
  policy.zones[1] = zone(policy, "vnet", routes);
  const auto changes = full(policy, example_view());
  EXPECT_EQ(changes.size(), 4u);  // one for the rest, three for 250,007 routes
  std::size_t sum = 0;
  for (const auto& change : changes) {
    int here = 0;
    for (const auto& part : change.routes()) {
      here += part.address_size();
    }
    EXPECT_LE(here, 100'000);
    EXPECT_LT(change.ByteSizeLong(), 16u << 20);
  }
  for (const auto& [name, table] : tables(changes)) {
    sum += table.size();
  }
  EXPECT_EQ(sum, 250'007u);
}

// Ports egress (10.0.2.4/24) and lan (10.0.1.4/24), and a host on lan; zone vnet wants them.
std::pair<policy::Policy, View> connected_example() {
  std::pair<policy::Policy, View> result{example(), example_view()};
  auto& [policy, view] = result;
  policy.zones[1].connected = true;
  view.connected = {{{0x0a000100, 24}, "lan"}, {{0x0a000200, 24}, "egress"}};
  view.hosts = {{"host-10-0-1-7", "lan", 0x0a000107}};
  view.members.push_back({"lan", 0x0a000107, mac, true, "reachable"});
  return result;
}

const Table own_table{{{lan_address, 32}, "host"}, {{0x0a000204, 32}, "host"}};

Table with_own(Table table) {
  table.insert(own_table.begin(), own_table.end());
  return table;
}

TEST(ConnectedRoutes, AreOfZonesThatWantThemOnly) {
  const auto [policy, view] = connected_example();
  const auto changes = full(policy, view);
  const auto result = tables(changes);
  EXPECT_EQ(result.at("vnet"), with_own({{{0x0a000100, 24}, "connected"},
                                         {{0x0a000100, 32}, "none"},
                                         {{0x0a000107, 32}, "host-10-0-1-7"},
                                         {{0x0a0001ff, 32}, "none"},
                                         {{0x0a000200, 24}, "connected"},
                                         {{0x0a000200, 32}, "none"},
                                         {{0x0a0002ff, 32}, "none"}}));
  EXPECT_EQ(result.at("onprem"), tables(full(example(), example_view())).at("onprem"));
  std::map<std::string, std::pair<ipc::NextHop::Action, int>> next_hops;
  for (const auto& next_hop : changes[0].next_hops()) {
    next_hops[next_hop.name()] = {next_hop.action(), next_hop.members_size()};
  }
  EXPECT_EQ(next_hops.at("connected"), std::pair(ipc::NextHop::CONNECTED, 0));
  EXPECT_EQ(next_hops.at("host-10-0-1-7"), std::pair(ipc::NextHop::FORWARD, 1));
  const auto without = full(example(), example_view());
  for (const auto& next_hop : without[0].next_hops()) {
    EXPECT_NE(next_hop.action(), ipc::NextHop::CONNECTED);
  }
}

TEST(ConnectedRoutes, GiveWayToAllButSystemRoutes) {
  using route::Origin;
  for (const auto origin : {Origin::system, Origin::bgp, Origin::vnet, Origin::user_tag, Origin::user}) {
    auto [policy, view] = connected_example();
    auto& table = policy.zones[1].table;
    table = {};
    table.add({.prefix = {0x0a000100, 24}, .origin = origin, .next_hop = policy.names.intern("firewall")});
    table.finish();
    const auto result = tables(full(policy, view)).at("vnet");
    if (origin == Origin::system) {
      EXPECT_EQ(result, tables(full(connected_example().first, view)).at("vnet"));
    } else {  // with its edges and hosts, which are that route's now
      EXPECT_EQ(result, with_own({{{0x0a000100, 24}, "firewall"},
                                  {{0x0a000200, 24}, "connected"},
                                  {{0x0a000200, 32}, "none"},
                                  {{0x0a0002ff, 32}, "none"}}));
    }
  }
}

TEST(ConnectedRoutes, GiveWayToLongerOnesForWhatThoseCover) {
  auto [policy, view] = connected_example();
  auto& table = policy.zones[1].table;
  table = {};
  for (const auto prefix :
       {base::Prefix{0x0a000100, 29}, base::Prefix{0x0a0002ff, 32}, base::Prefix{0x0a000000, 16}}) {
    table.add({.prefix = prefix, .origin = route::Origin::user, .next_hop = policy.names.intern("firewall")});
  }
  table.finish();
  EXPECT_EQ(tables(full(policy, view)).at("vnet"), with_own({{{0x0a000000, 16}, "firewall"},
                                                             {{0x0a000100, 24}, "connected"},
                                                             {{0x0a000100, 29}, "firewall"},
                                                             {{0x0a0001ff, 32}, "none"},
                                                             {{0x0a000200, 24}, "connected"},
                                                             {{0x0a000200, 32}, "none"},
                                                             {{0x0a0002ff, 32}, "firewall"}}));
}

TEST(ConnectedRoutes, AHostThatAnswersIsOneRoute) {
  const auto [policy, after] = connected_example();
  auto before = after;
  before.hosts.clear();
  before.members.pop_back();
  const auto come = incremental(policy, before, after);
  ASSERT_EQ(come.size(), 1u);
  EXPECT_EQ(come[0].next_hops_size(), 1);
  EXPECT_EQ(come[0].adjacencies_size(), 1);
  EXPECT_EQ(tables(come), (std::map<std::string, Table>{{"vnet", {{{0x0a000107, 32}, "host-10-0-1-7"}}}}));
  const auto gone = incremental(policy, after, before);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].remove_next_hops_size(), 1);
  EXPECT_EQ(gone[0].remove_adjacencies_size(), 1);
  ASSERT_EQ(gone[0].withdraw_size(), 1);
  EXPECT_THAT(gone[0].withdraw(0).address(), ElementsAre(0x0a000107u));
}

TEST(ConnectedRoutes, ComeFromTheKernelsAddresses) {
  auto policy = example();
  policy.config.zones = {{.name = "vnet", .connected = true}};
  netlink::Mirror mirror;
  mirror.links[3] = {.index = 3, .name = "eth0", .up = true};
  mirror.addresses[3] = {{lan_address, 24}};
  mirror.neighbours[{3, 0x0a000107}] = {.state = "STALE", .usable = true, .mac = mac};
  mirror.neighbours[{3, 0x0a000108}] = {.state = "FAILED"};
  // Not the broadcast address, nobody who is away, and nothing of elsewhere.
  const auto seen = view(policy.config, mirror, {}, {0x08080808, 0x0a000107, 0x0a000108, 0x0a0001ff});
  EXPECT_THAT(seen.connected, ElementsAre(reach::Connected{{0x0a000100, 24}, "lan"}));
  EXPECT_THAT(seen.hosts, ElementsAre(View::Host{"host-10-0-1-7", "lan", 0x0a000107}));
  EXPECT_EQ(std::ranges::count(seen.members, 0x0a000107u, &reach::Member::address), 1);
  policy.config.zones[0].connected = false;
  const auto unwanted = view(policy.config, mirror, {}, {0x0a000107});
  EXPECT_THAT(unwanted.connected, IsEmpty());
  EXPECT_THAT(unwanted.hosts, IsEmpty());
}

// A BGP route that a System route of the VNet keeps from being in force.
TEST(Full, NamesNoRouteInTheShadow) {
  auto policy = example();
  auto& table = policy.zones[1].table;
  const auto far = policy.names.intern("far");
  table.add({.prefix = {0x0b000000, 16}, .origin = route::Origin::vnet, .next_hop = far});
  table.add({.prefix = {0x0b000100, 24}, .origin = route::Origin::bgp, .next_hop = far});
  table.finish();
  EXPECT_EQ(tables(full(policy, example_view())).at("vnet"), with_own({{{0x0b000000, 16}, "far"}}));
}

TEST(Incremental, IsEmptyWhenNothingTheDataplaneKnowsChanged) {
  auto after = example_view();
  after.members[2].why = "neighbour is INCOMPLETE";
  EXPECT_THAT(incremental(example(), example_view(), after), IsEmpty());
}

TEST(Incremental, TellsOnlyTheMemberThatDied) {
  auto after = example_view();
  after.members[1].alive = false;
  const auto changes = incremental(example(), example_view(), after);
  ipc::Change expected;
  auto* adjacency = expected.add_adjacencies();
  adjacency->mutable_key()->set_port("egress");
  adjacency->mutable_key()->set_address(firewall);
  adjacency->set_mac(std::string("\x02\0\0\0\0\x01", 6));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].DebugString(), expected.DebugString());
}

TEST(Incremental, MovesAMemberToAnotherPort) {
  auto after = example_view();
  after.members[2].port = "lan";
  const auto changes = incremental(example(), example_view(), after);
  ASSERT_EQ(changes.size(), 1u);
  const auto& change = changes[0];
  ASSERT_EQ(change.adjacencies_size(), 1);
  EXPECT_EQ(change.adjacencies(0).key().port(), "lan");
  ASSERT_EQ(change.remove_adjacencies_size(), 1);
  EXPECT_EQ(change.remove_adjacencies(0).port(), "egress");
  EXPECT_EQ(change.remove_adjacencies(0).address(), firewall + 1);
  ASSERT_EQ(change.next_hops_size(), 1);
  EXPECT_EQ(change.next_hops(0).name(), "firewall");
  EXPECT_EQ(change.next_hops(0).members_size(), 2);
}

TEST(Incremental, LosesTheLastMemberAndStaysANextHop) {
  auto before = example_view();
  before.members[0].port = "lan";
  const auto changes = incremental(example(), before, example_view());
  ASSERT_EQ(changes.size(), 1u);
  ASSERT_EQ(changes[0].next_hops_size(), 1);
  EXPECT_EQ(changes[0].next_hops(0).name(), "far");
  EXPECT_EQ(changes[0].next_hops(0).action(), ipc::NextHop::FORWARD);
  ASSERT_EQ(changes[0].next_hops(0).members_size(), 1) << "who has which flow depends on all";
  EXPECT_EQ(changes[0].next_hops(0).members(0).port(), "");
  EXPECT_EQ(changes[0].next_hops(0).members(0).address(), 0xc0000201);
}

TEST(Incremental, TellsOfWeightsHashAndWhoIsDrained) {
  auto policy = example();
  auto& next_hop = policy.config.next_hops[0];
  next_hop.weights = {{firewall + 1, 0}};
  next_hop.hash = config::Hash::addresses;
  const auto told = [&](const View& view) {
    const auto changes = between(example(), example_view(), policy, view);
    return changes.at(0).next_hops(0);
  };
  auto message = told(example_view());
  EXPECT_EQ(message.hash(), ipc::NextHop::ADDRESSES);
  EXPECT_EQ(message.members(0).weight(), 1U);
  EXPECT_FALSE(message.members(0).drained());
  EXPECT_EQ(message.members(1).weight(), 1U) << "it keeps its place in the order";
  EXPECT_TRUE(message.members(1).drained());
  next_hop.weights = {{firewall + 1, 3}};
  auto view = example_view();
  view.drained = {{"firewall", firewall}, {"far", firewall + 1}};
  message = told(view);
  EXPECT_TRUE(message.members(0).drained());
  EXPECT_EQ(message.members(1).weight(), 3U);
  EXPECT_FALSE(message.members(1).drained()) << "of another next hop it is";
}

TEST(Incremental, TellsThatAnotherInterfaceHasTakenTheName) {
  auto after = example_view();
  after.ports[0].instance = "9 02";
  const auto changes = incremental(example(), example_view(), after);
  ASSERT_EQ(changes.size(), 1u);
  ASSERT_EQ(changes[0].ports_size(), 1);
  EXPECT_EQ(changes[0].ports(0).name(), "egress");
  EXPECT_EQ(changes[0].ports(0).instance(), "9 02");
}

TEST(View, NamesTheInterfaceByIndexAndMac) {
  config::Config config;
  config.ports = {{.name = "lan", .device = "af_xdp:eth0"}, {.name = "pcap", .device = "net_pcap0"}};
  netlink::Mirror mirror;
  EXPECT_EQ(view(config, mirror).ports[0].instance, "");
  mirror.links[7] = {.index = 7, .name = "eth0", .up = true, .mac = mac};
  EXPECT_EQ(view(config, mirror).ports[0].instance, "7 02:00:00:00:00:01");
  EXPECT_EQ(view(config, mirror).ports[1].instance, "");
}

TEST(View, ACompanionMadeAnewIsNoOtherPort) {
  config::Config config;
  config.ports = {{.name = "lan", .device = "0000:00:04.0", .companion = "sk-lan"}};
  netlink::Mirror mirror;
  mirror.links[7] = {.index = 7, .name = "sk-lan", .up = true, .mac = mac};
  mirror.addresses[7] = {{lan_address, 24}};
  const auto seen = view(config, mirror);
  EXPECT_EQ(seen.ports[0].instance, "");
  EXPECT_THAT(seen.ports[0].local, ElementsAre(lan_address, 0x0a0001ff));
  policy::Policy policy;
  policy.config = config;
  EXPECT_EQ(full(policy, seen).at(0).ports(0).companion(), "sk-lan");
}

// It is this appliance's on every port; those of the host itself are nobody's.
TEST(View, AnAddressOfTheLoopbackInterfaceIsOurs) {
  config::Config config;
  config.ports = {{.name = "lan", .device = "0000:00:04.0", .companion = "sk-lan"}};
  netlink::Mirror mirror;
  mirror.links[1] = {.index = 1, .name = "lo", .up = true};
  mirror.addresses[1] = {{0x7f000001, 8}, {0xc0000201, 32}};
  mirror.links[7] = {.index = 7, .name = "sk-lan", .up = true, .mac = mac};
  mirror.addresses[7] = {{lan_address, 24}};
  const auto seen = view(config, mirror);
  EXPECT_THAT(seen.ports[0].local, ElementsAre(lan_address, 0x0a0001ff, 0xc0000201));
  EXPECT_THAT(seen.unicast, ElementsAre(lan_address, 0xc0000201));
  EXPECT_EQ(seen.ports[0].primary, lan_address);
}

TEST(Exit, IsANextHopThatIsDownUntilItIsReady) {
  auto policy = example();
  policy.zones.push_back(zone(policy, "excepted", {{{0x14766300, 24}, "Internet"}}));
  auto before = example_view();
  before.exit = reach::Exit{.port = "egress", .ready = false};
  const auto action = [](const std::vector<ipc::Change>& changes) {
    for (const auto& next_hop : changes.at(0).next_hops()) {
      if (next_hop.name() == "internet") {
        return next_hop.action();
      }
    }
    ADD_FAILURE() << "no next hop internet";
    return ipc::NextHop::DROP;
  };
  const auto changes = full(policy, before);
  EXPECT_EQ(changes.at(0).exit().port(), "egress");
  EXPECT_EQ(action(changes), ipc::NextHop::FORWARD);  // without members: down
  EXPECT_EQ(tables(changes).at("excepted").at({0x14766300, 24}), "internet");

  auto after = before;
  after.exit->ready = true;
  EXPECT_EQ(action(incremental(policy, before, after)), ipc::NextHop::EXIT);
  EXPECT_EQ(action(incremental(policy, after, before)), ipc::NextHop::FORWARD);
  before.exit->why = "another reason";
  EXPECT_THAT(incremental(policy, before, before), IsEmpty());
  EXPECT_EQ(action(full(policy, after)), ipc::NextHop::EXIT);
  EXPECT_FALSE(full(example(), example_view()).at(0).has_exit());
}

TEST(Incremental, MovesOurOwnAddresses) {
  auto after = example_view();
  after.ports[1].local = {0x0a000105, 0x0a0001ff};
  after.unicast = {0x0a000105, 0x0a000204};
  const auto changes = incremental(example(), example_view(), after);
  ASSERT_EQ(changes.size(), 1u);
  ASSERT_EQ(changes[0].ports_size(), 1);
  EXPECT_EQ(changes[0].ports(0).name(), "lan");
  EXPECT_EQ(changes[0].ports(0).device(), "af_xdp:eth0");
  EXPECT_THAT(changes[0].ports(0).local(), ElementsAre(0x0a000105, 0x0a0001ff));
  const auto result = tables(changes);
  // The policy's own route comes to light again where it has one.
  EXPECT_EQ(result.at("onprem"), (Table{{{0x0a000105, 32}, "host"}, {{lan_address, 32}, "firewall"}}));
  EXPECT_EQ(result.at("vnet"), (Table{{{0x0a000105, 32}, "host"}}));
  ASSERT_EQ(changes[0].withdraw_size(), 1);
  EXPECT_EQ(changes[0].withdraw(0).zone(), "vnet");
  EXPECT_THAT(changes[0].withdraw(0).address(), ElementsAre(lan_address));
  EXPECT_EQ(changes[0].withdraw(0).length(), std::string(1, char{32}));
}

}  // namespace
}  // namespace sekisho::sync
