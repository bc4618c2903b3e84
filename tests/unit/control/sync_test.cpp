// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane/writer/transaction.hpp"

namespace sekisho::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::uint32_t lan_address = 0x0a000104;  // 10.0.1.4
constexpr std::uint32_t firewall = 0x0a00020a;     // 10.0.2.10
constexpr base::MacAddress mac{2, 0, 0, 0, 0, 1};

using Table = std::map<std::pair<std::uint32_t, unsigned>, std::string>;  // address and length to next hop

// What a dataplane's table would hold; a prefix that stands twice is an error of ours.
std::map<std::string, Table> tables(const std::vector<ipc::Change>& changes) {
  std::map<std::string, Table> result;
  for (const auto& change : changes) {
    for (const auto& routes : change.routes()) {
      EXPECT_EQ(routes.address_size(), routes.next_hop_size());
      EXPECT_EQ(routes.address_size(), static_cast<int>(routes.length().size()));
      for (int i = 0; i < routes.address_size(); ++i) {
        const auto length = static_cast<std::uint8_t>(routes.length()[static_cast<std::size_t>(i)]);
        const auto& name = routes.next_hop_names(static_cast<int>(routes.next_hop(i)));
        EXPECT_TRUE(result[routes.zone()].try_emplace({routes.address(i), length}, name).second);
      }
    }
  }
  return result;
}

policy::ZonePolicy zone(policy::Policy& policy, const std::string& name,
                        const std::vector<std::pair<base::Prefix, std::string>>& routes) {
  policy::ZonePolicy zone{.name = name, .ports = {"lan"}, .sources = {{0xac100000, 12}}};
  for (const auto& [prefix, next_hop] : routes) {
    zone.table.add(
        {.prefix = prefix, .origin = route::Origin::user, .next_hop = policy.names.intern(next_hop)});
  }
  zone.table.finish();
  return zone;
}

policy::Policy example() {
  policy::Policy policy;
  policy.config.ports = {{.name = "egress", .device = "af_xdp:eth1"},
                         {.name = "lan", .device = "af_xdp:eth0", .mtu = 1400}};
  policy.config.next_hops = {{.name = "firewall", .members = {firewall, firewall + 1}},
                             {.name = "far", .members = {0xc0000201}}};
  policy.zones.push_back(zone(policy, "onprem",
                              {{{0, 1}, "firewall"},
                               {{0x80000000, 1}, "firewall"},
                               {{0x0a000000, 8}, "None"},
                               {{lan_address, 32}, "firewall"}}));
  policy.zones.push_back(zone(policy, "vnet", {}));
  return policy;
}

View example_view() {
  View view;
  view.members = {{"", 0xc0000201, {}, false, ""},
                  {"egress", firewall, mac, true, "reachable"},
                  {"egress", firewall + 1, {}, false, "neighbour is FAILED"}};
  view.ports = {{"egress", "4 02", {0x0a000204, 0x0a0002ff}}, {"lan", "3 02", {lan_address, 0x0a0001ff}}};
  view.unicast = {lan_address, 0x0a000204};
  return view;
}

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

// What the dataplane makes of transactions: its own checks, and what they say is afterwards.
class Dataplane : public writer::RunningRoutes {
 public:
  std::optional<std::string_view> find(const std::string& zone, base::Prefix prefix) const override {
    const auto table = tables.find(zone);
    if (table == tables.end()) {
      return std::nullopt;
    }
    const auto route = table->second.find({prefix.address, prefix.length});
    return route == table->second.end() ? std::nullopt : std::optional<std::string_view>(route->second);
  }
  std::size_t count(const std::string& zone, const std::string& next_hop) const override {
    const auto leads = [&](const auto& route) { return route.second == next_hop; };
    return static_cast<std::size_t>(std::ranges::count_if(tables.at(zone), leads));
  }

  // The refusal, or nothing.
  std::string commit(bool is_full, const std::vector<ipc::Change>& changes) {
    writer::Transaction transaction(is_full, configuration);
    for (const auto& change : changes) {
      if (const auto done = transaction.add(change); !done) {
        return done.error();
      }
    }
    auto target = std::move(transaction).finish(*this);
    if (!target) {
      return target.error();
    }
    std::map<std::string, Table> next;
    for (const auto& [zone, spec] : target->configuration.zones) {
      const auto changed = target->tables.find(zone);
      if (changed == target->tables.end() || !changed->second.replace) {
        next[zone] = tables[zone];
      }
      for (const auto& route :
           changed == target->tables.end() ? std::vector<writer::NamedRoute>{} : changed->second.routes) {
        const std::pair key{route.prefix.address, unsigned{route.prefix.length}};
        if (route.next_hop == writer::withdraw) {
          next[zone].erase(key);
        } else {
          next[zone][key] = target->next_hop_names[value_of(route.next_hop)];
        }
      }
    }
    configuration = std::move(target->configuration);
    tables = std::move(next);
    return {};
  }

  bool operator==(const Dataplane& other) const {
    const auto& a = configuration;
    const auto& b = other.configuration;
    return a.ports == b.ports && a.adjacencies == b.adjacencies && a.next_hops == b.next_hops &&
           a.zones == b.zones && a.exit == b.exit && tables == other.tables;
  }

  writer::Configuration configuration;
  std::map<std::string, Table> tables;
};

Dataplane dataplane_with(const policy::Policy& policy, const View& view) {
  Dataplane dataplane;
  EXPECT_EQ(dataplane.commit(true, full(policy, view)), "");
  return dataplane;
}

// Small worlds in which the same few names and prefixes come up again and again, so that two of them differ and agree in
// every way.
class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_(seed) {}

  std::pair<policy::Policy, View> next() {
    std::pair<policy::Policy, View> result;
    auto& [policy, view] = result;
    for (const auto* name : {"a", "b", "c"}) {
      if (name == std::string_view("a") || maybe()) {
        const auto device = std::string("af_xdp:") + (maybe() ? name : std::string(name) + "0");
        policy.config.ports.push_back({.name = name, .device = device});
        view.ports.push_back({name, maybe() ? "1" : "2", {address(), 0x0a0000ff}});
      }
    }
    for (const auto& port : view.ports) {
      view.unicast.push_back(port.local.front());
    }
    std::ranges::sort(view.unicast);
    const auto same = std::ranges::unique(view.unicast);
    view.unicast.erase(same.begin(), same.end());
    if (maybe()) {
      view.connected.push_back({{0x0a000000, 30}, any_port(policy)});
    }
    if (maybe()) {
      view.connected.push_back({{0x0a000080, 29}, any_port(policy)});
    }
    if (maybe()) {
      view.exit = reach::Exit{.port = any_port(policy), .ready = maybe()};
    }
    std::set<std::uint32_t> members;
    for (const auto* name : {"firewall", "gateway", "other"}) {
      if (name == std::string_view("firewall") || maybe()) {
        std::set<std::uint32_t> some{gateway(), gateway()};
        policy.config.next_hops.push_back({.name = name, .members = {some.begin(), some.end()}});
        members.insert(some.begin(), some.end());
      }
    }
    for (const auto member : members) {
      const bool known = maybe();
      view.members.push_back({maybe() ? any_port(policy) : "", member,
                              known ? std::optional(mac) : std::nullopt, known && maybe(), "why"});
    }
    for (const std::uint32_t host : {0x0a000001U, 0x0a000081U, 0x0a000083U}) {
      if (maybe() && reach::has_host(view.connected, host)) {
        add_host(view, host, any_port(policy));
      }
    }
    free_sources_ = {
        {0xac100000, 16}, {0xac110000, 16}, {0xac120000, 16}, {0xc0000200, 24}, {0xc6336400, 24}};
    for (const auto* name : {"onprem", "vnet", "late"}) {
      if (maybe()) {
        policy.zones.push_back(zone_named(name, policy, view));
      }
    }
    return result;
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
  bool maybe() { return below(2) == 0; }
  std::uint32_t address() { return 0x0a000000 + below(4); }
  std::uint32_t gateway() { return 0x0a000080 + below(4); }
  std::string any_port(const policy::Policy& policy) {
    return policy.config.ports[below(static_cast<unsigned>(policy.config.ports.size()))].name;
  }

  static void add_host(View& view, std::uint32_t address, const std::string& port) {
    view.hosts.push_back({reach::host_name(address), port, address});
    const auto known = std::ranges::find(view.members, address, &reach::Member::address);
    const reach::Member member{port, address, mac, true, "why"};
    if (known == view.members.end()) {
      view.members.push_back(member);
    } else {
      *known = member;
    }
  }

  // What one zone has in a world may be another's in the next.
  std::vector<base::Prefix> take_sources() {
    std::vector<base::Prefix> result;
    for (unsigned i = below(3); i != 0 && !free_sources_.empty(); --i) {
      const auto taken = free_sources_.begin() + below(static_cast<unsigned>(free_sources_.size()));
      result.push_back(*taken);
      free_sources_.erase(taken);
    }
    return result;
  }

  policy::ZonePolicy zone_named(const std::string& name, policy::Policy& policy, const View& view) {
    policy::ZonePolicy zone{
        .name = name, .ports = {any_port(policy)}, .sources = take_sources(), .connected = maybe()};
    std::vector<std::string> next_hops{"None"};
    if (view.exit) {
      next_hops.emplace_back("Internet");
    }
    for (const auto& next_hop : policy.config.next_hops) {
      next_hops.push_back(next_hop.name);
    }
    for (unsigned i = below(40); i != 0; --i) {
      base::Prefix prefix{address(), static_cast<std::uint8_t>(26 + below(7))};
      prefix.address &= prefix.mask();
      const auto& next_hop = next_hops[below(static_cast<unsigned>(next_hops.size()))];
      zone.table.add({.prefix = prefix,
                      .origin = maybe() ? route::Origin::user : route::Origin::system,
                      .next_hop = policy.names.intern(next_hop)});
    }
    zone.table.finish();
    return zone;
  }

  std::mt19937 random_;
  std::vector<base::Prefix> free_sources_;  // of the world that is made
};

// None of the routes that it names is as before.
void expect_only_differences(const Dataplane& before, const std::vector<ipc::Change>& changes) {
  for (const auto& [zone, table] : tables(changes)) {
    for (const auto& [prefix, next_hop] : table) {
      const auto length = static_cast<std::uint8_t>(prefix.second);
      EXPECT_NE(before.find(zone, {prefix.first, length}), std::optional<std::string_view>(next_hop));
    }
  }
}

TEST(Between, MakesOfAnyStateWhatTheFullTransactionWould) {
  unsigned changed = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    RandomWorld world(seed);
    const auto [before, before_view] = world.next();
    const auto [after, after_view] = world.next();
    auto dataplane = dataplane_with(before, before_view);
    const auto changes = between(before, before_view, after, after_view);
    expect_only_differences(dataplane, changes);
    ASSERT_EQ(dataplane.commit(false, changes), "") << "seed " << seed;
    ASSERT_TRUE(dataplane == dataplane_with(after, after_view)) << "seed " << seed;
    changed += changes.empty() ? 0 : 1;
    const auto same = before;
    ASSERT_THAT(between(before, before_view, same, before_view), IsEmpty()) << "seed " << seed;
  }
  EXPECT_GT(changed, 1900u);
}

TEST(Incremental, FollowsTheKernelAsAFullTransactionWould) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomWorld world(seed);
    const auto [policy, before] = world.next();
    const auto other = world.next().second;
    auto after = before;
    for (auto& member : after.members) {
      member.mac.reset();
      member.alive = false;
    }
    after.unicast = {0x0a000001};
    after.connected = other.connected;
    after.hosts.clear();
    auto dataplane = dataplane_with(policy, before);
    ASSERT_EQ(dataplane.commit(false, incremental(policy, before, after)), "") << "seed " << seed;
    ASSERT_TRUE(dataplane == dataplane_with(policy, after)) << "seed " << seed;
  }
}

TEST(Between, OneRouteOfManyIsOneRoute) {
  policy::Policy before = example();
  std::vector<std::pair<base::Prefix, std::string>> routes;
  for (std::uint32_t i = 0; i < 250'000; ++i) {
    routes.push_back({{0x14000000 + (i << 4), 28}, "firewall"});
  }
  before.zones[1] = zone(before, "vnet", routes);
  policy::Policy after = example();
  routes[1000].second = "None";
  after.zones[1] = zone(after, "vnet", routes);
  const auto changes = between(before, example_view(), after, example_view());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(tables(changes).at("vnet"), (Table{{{0x14000000 + (1000 << 4), 28}, "none"}}));
  EXPECT_LT(changes[0].ByteSizeLong(), 64u);
}

TEST(Between, FillsChangesWithAtMost100000RoutesAndWithdrawals) {
  policy::Policy before = example();
  policy::Policy after = example();
  std::vector<std::pair<base::Prefix, std::string>> old;
  std::vector<std::pair<base::Prefix, std::string>> young;
  for (std::uint32_t i = 0; i < 150'000; ++i) {
    old.push_back({{0x14000000 + (i << 4), 28}, "firewall"});
    young.push_back({{0x14000008 + (i << 4), 29}, "firewall"});
  }
  before.zones[1] = zone(before, "vnet", old);
  after.zones[1] = zone(after, "vnet", young);
  before.zones[1].sources = after.zones[1].sources = {{0x0a010000, 16}};
  const auto changes = between(before, example_view(), after, example_view());
  EXPECT_EQ(changes.size(), 3u);
  for (const auto& change : changes) {
    int here = 0;
    for (const auto& part : change.routes()) {
      here += part.address_size();
    }
    for (const auto& part : change.withdraw()) {
      here += part.address_size();
    }
    EXPECT_LE(here, 100'000);
  }
  auto dataplane = dataplane_with(before, example_view());
  ASSERT_EQ(dataplane.commit(false, changes), "");
  EXPECT_TRUE(dataplane == dataplane_with(after, example_view()));
}

}  // namespace
}  // namespace sekisho::sync
