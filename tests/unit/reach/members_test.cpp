// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/reach/connected.hpp"
#include "control/reach/hosts.hpp"
#include "control/reach/members.hpp"

namespace sekisho::reach {
namespace {

using base::MacAddress;
using config::InterfaceAddress;
using testing::ElementsAre;

constexpr std::uint32_t address(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr MacAddress mac{2, 0, 0, 0, 0, 1};
const std::uint32_t firewall = address(10, 0, 2, 10);

config::Port kernel_port(const std::string& name, const std::string& netdev) {
  return {.name = name, .device = "af_xdp:" + netdev};
}

// Ports lan (eth0, 10.0.1.4/24) and egress (eth1, 10.0.2.4/24), both up.
struct World {
  World() {
    config.ports = {kernel_port("egress", "eth1"), kernel_port("lan", "eth0")};
    mirror.links[1] = {.index = 1, .name = "eth0", .up = true};
    mirror.links[2] = {.index = 2, .name = "eth1", .up = true};
    mirror.addresses[1] = {{address(10, 0, 1, 4), 24}};
    mirror.addresses[2] = {{address(10, 0, 2, 4), 24}};
  }
  void next_hop(const std::string& name, std::vector<std::uint32_t> members) {
    config.next_hops.push_back({.name = name, .members = std::move(members)});
  }
  void neighbour(int index, std::uint32_t at, const std::string& state, bool usable) {
    mirror.neighbours[{index, at}] = {.state = state, .usable = usable, .mac = usable ? mac : MacAddress{}};
  }
  [[nodiscard]] Member only() const {
    const auto all = members(config, mirror);
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }

  config::Config config;
  netlink::Mirror mirror;
};

TEST(Members, AreAliveByLinkAndNeighbour) {
  struct Case {
    const char* why;
    bool up;
    const char* state;  // of the neighbour; nullptr: there is no entry
    bool usable;
    bool alive;
  };
  for (const auto& [why, up, state, usable, alive] : std::initializer_list<Case>{
           {"reachable", true, "REACHABLE", true, true},
           {"reachable", true, "STALE", true, true},
           {"reachable", true, "PROBE", true, true},
           {"neighbour is FAILED", true, "FAILED", false, false},
           {"neighbour is INCOMPLETE", true, "INCOMPLETE", false, false},
           {"neighbour is not resolved yet", true, nullptr, false, false},
           {"link eth1 is down", false, "PERMANENT", true, false},
           {"link eth1 is down", false, nullptr, false, false},
       }) {
    World world;
    world.next_hop("firewall", {firewall});
    world.mirror.links[2].up = up;
    if (state != nullptr) {
      world.neighbour(2, firewall, state, usable);
    }
    world.neighbour(1, firewall, "REACHABLE", true);  // the same address on another link means nothing
    const bool asking = up && (state == nullptr || std::string_view{state} == "INCOMPLETE");
    const auto expected_mac = usable ? std::optional(mac) : std::nullopt;
    EXPECT_EQ(world.only(), (Member{"egress", firewall, expected_mac, alive, why, asking})) << why;
  }
}

TEST(Members, AreInheritedUntilTheKernelHasSpoken) {
  struct Case {
    bool up;
    const char* state;  // of the neighbour; nullptr: there is no entry
    bool inherited;
  };
  for (const auto& [up, state, expected] : std::initializer_list<Case>{{true, nullptr, true},
                                                                       {true, "INCOMPLETE", true},
                                                                       {true, "FAILED", false},
                                                                       {true, "NONE", false},
                                                                       {false, nullptr, false}}) {
    World world;
    world.next_hop("firewall", {firewall});
    world.mirror.links[2].up = up;
    if (state != nullptr) {
      world.neighbour(2, firewall, state, false);
    }
    const Inherited before{{{"egress", firewall}, mac}, {{"lan", firewall}, MacAddress{2, 2, 2, 2, 2, 2}}};
    const auto member = members(world.config, world.mirror, before).at(0);
    EXPECT_EQ(member.inherited, expected) << member.why;
    EXPECT_EQ(member.alive, expected) << member.why;
    if (expected) {
      EXPECT_EQ(member.mac, mac);
    }
    world.neighbour(2, firewall, "REACHABLE", true);
    EXPECT_FALSE(members(world.config, world.mirror, before).at(0).inherited) << "the kernel has spoken";
  }
}

TEST(Members, WithoutASubnetHaveNoPort) {
  World world;
  world.next_hop("far", {address(192, 0, 2, 1)});
  EXPECT_EQ(world.only(),
            (Member{"", address(192, 0, 2, 1), {}, false, "no port has an address in its subnet"}));
}

TEST(Members, OfALinkThatIsNotThereHaveNoPort) {
  World world;
  world.next_hop("firewall", {firewall});
  world.mirror.links.erase(2);
  EXPECT_EQ(world.only().port, "");
  EXPECT_FALSE(world.only().alive);
}

TEST(Members, AreNotOurselves) {
  World world;
  world.next_hop("self", {address(10, 0, 2, 4)});
  EXPECT_EQ(world.only(),
            (Member{"egress", address(10, 0, 2, 4), {}, false, "it is this appliance's own address"}));
}

TEST(Members, TakeTheLongestSubnetThenThePortsName) {
  World world;
  world.next_hop("firewall", {firewall});
  world.mirror.addresses[1].push_back({address(10, 0, 0, 1), 16});
  EXPECT_EQ(world.only().port, "egress");
  world.mirror.addresses[1].push_back({address(10, 0, 2, 9), 28});
  EXPECT_EQ(world.only().port, "lan");
  world.mirror.addresses[2] = {{address(10, 0, 2, 5), 28}};
  EXPECT_EQ(world.only().port, "egress");
}

TEST(Members, StandOnceAndSorted) {
  World world;
  const auto lan = address(10, 0, 1, 9);
  const auto far = address(192, 0, 2, 1);
  world.next_hop("a", {lan, firewall});
  world.next_hop("b", {firewall, firewall + 1, far});
  std::vector<std::pair<std::string, std::uint32_t>> order;
  for (const auto& member : members(world.config, world.mirror)) {
    order.emplace_back(member.port, member.address);
  }
  EXPECT_THAT(order, ElementsAre(std::pair("", far), std::pair("egress", firewall),
                                 std::pair("egress", firewall + 1), std::pair("lan", lan)));
}

TEST(Members, OfADeviceWithoutNetdevAreStatic) {
  World world;
  world.config.ports = {{.name = "pcap",
                         .device = "net_pcap0",
                         .addresses = {{address(10, 0, 2, 4), 24}},
                         .neighbours = {{firewall, mac}}}};
  world.next_hop("firewall", {firewall, firewall + 1});
  EXPECT_THAT(members(world.config, world.mirror),
              ElementsAre(Member{"pcap", firewall, mac, true, "static"},
                          Member{"pcap", firewall + 1, {}, false, "no static neighbour"}));
}

TEST(LocalAddresses, AreUnicastAndDirectedBroadcast) {
  struct Case {
    std::vector<InterfaceAddress> addresses;
    std::vector<std::uint32_t> local;
    std::vector<std::uint32_t> unicast;
  };
  const auto own = address(10, 0, 2, 4);
  for (const auto& [addresses, local, unicast] : std::initializer_list<Case>{
           {{}, {}, {}},
           {{{own, 24}}, {own, address(10, 0, 2, 255)}, {own}},
           {{{own, 30}}, {own, address(10, 0, 2, 7)}, {own}},
           {{{own, 31}}, {own}, {own}},
           {{{own, 32}}, {own}, {own}},
           {{{own + 1, 24}, {own, 24}}, {own, own + 1, address(10, 0, 2, 255)}, {own, own + 1}},
       }) {
    World world;
    world.mirror.addresses[2] = addresses;
    EXPECT_EQ(local_addresses(kernel_port("egress", "eth1"), world.mirror), local);
    EXPECT_EQ(unicast_addresses(kernel_port("egress", "eth1"), world.mirror), unicast);
    const config::Port other{.name = "pcap", .device = "net_pcap0", .addresses = addresses};
    EXPECT_EQ(local_addresses(other, world.mirror), local);
  }
}

TEST(Connected, AreTheSubnetsOfAllPortsOnceWhenAZoneWantsThem) {
  World world;
  EXPECT_THAT(connected(world.config, world.mirror), testing::IsEmpty());
  world.config.zones = {{.name = "other"}, {.name = "lan", .connected = true}};
  world.config.ports.push_back(
      {.name = "static", .device = "net_null0", .addresses = {{address(10, 0, 3, 4), 31}}});
  world.mirror.addresses[1].push_back({address(10, 0, 2, 9), 24});   // egress has this subnet, too
  world.mirror.addresses[1].push_back({address(192, 0, 2, 1), 32});  // nobody else is in it
  const auto found = connected(world.config, world.mirror);
  EXPECT_THAT(found, ElementsAre(Connected{{address(10, 0, 1, 0), 24}, "lan"},
                                 Connected{{address(10, 0, 2, 0), 24}, "egress"},
                                 Connected{{address(10, 0, 3, 4), 31}, "static"}));
  for (const auto& [at, expected] :
       std::initializer_list<std::pair<std::uint32_t, bool>>{{address(10, 0, 0, 255), false},
                                                             {address(10, 0, 1, 0), false},
                                                             {address(10, 0, 1, 1), true},
                                                             {address(10, 0, 1, 254), true},
                                                             {address(10, 0, 1, 255), false},
                                                             {address(10, 0, 3, 4), true},
                                                             {address(10, 0, 3, 5), true},
                                                             {address(10, 0, 3, 6), false}}) {
    EXPECT_EQ(has_host(found, at), expected) << base::address_to_string(at);
  }
  // The longer subnet says what is its edge.
  world.mirror.addresses[1] = {{address(10, 0, 0, 1), 16}};
  const auto nested = connected(world.config, world.mirror);
  EXPECT_TRUE(has_host(nested, address(10, 0, 1, 255)));
  EXPECT_FALSE(has_host(nested, address(10, 0, 2, 255)));
  EXPECT_FALSE(has_host(nested, address(10, 0, 255, 255)));
}

class HostsOfPorts : public testing::Test {
 protected:
  HostsOfPorts() { world_.config.zones = {{.name = "lan", .connected = true}}; }

  auto want(std::vector<std::uint32_t> destinations) {
    return hosts_.want(destinations, {world_.config, world_.mirror, inherited_}, now_);
  }
  void follow() { hosts_.follow({world_.config, world_.mirror, inherited_}, now_); }
  // A subnet for more hosts than are followed.
  void widen() { world_.mirror.addresses[2] = {{address(10, 2, 0, 4), 16}}; }
  static std::uint32_t nth(unsigned n) { return address(10, 2, 1, 0) + n; }

  World world_;
  Inherited inherited_;
  Hosts hosts_;
  Hosts::Time now_{};
  const std::uint32_t host_ = address(10, 0, 1, 7);
};

TEST_F(HostsOfPorts, AreAskedForAndAnswerAndGo) {
  EXPECT_TRUE(want({host_}).more);
  EXPECT_FALSE(want({host_}).more);  // once is enough
  EXPECT_THAT(hosts_.all(), ElementsAre(host_));
  EXPECT_THAT(hosts_.answered(), testing::IsEmpty());
  world_.neighbour(1, host_, "REACHABLE", true);
  follow();
  EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
  world_.neighbour(1, host_, "PROBE", true);
  follow();
  EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
  world_.neighbour(1, host_, "FAILED", false);
  follow();
  EXPECT_THAT(hosts_.all(), testing::IsEmpty());
  EXPECT_TRUE(want({host_}).more) << "the next packet asks again";
}

TEST_F(HostsOfPorts, ThatTheKernelHasAlreadyNeedNoQuestion) {
  world_.neighbour(1, host_, "STALE", true);
  EXPECT_TRUE(want({host_}).more);
  EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
}

TEST_F(HostsOfPorts, ThatDoNotAnswerAreForgotten) {
  world_.neighbour(1, host_, "FAILED", false);  // of an earlier question
  EXPECT_TRUE(want({host_}).more);
  follow();
  EXPECT_THAT(hosts_.all(), ElementsAre(host_));
  now_ += Hosts::patience;
  world_.neighbour(1, host_, "INCOMPLETE", false);
  follow();
  EXPECT_THAT(hosts_.all(), ElementsAre(host_)) << "the kernel is asking";
  world_.neighbour(1, host_, "FAILED", false);
  follow();
  EXPECT_THAT(hosts_.all(), testing::IsEmpty());
}

TEST_F(HostsOfPorts, GoWithTheirLinkTheirSubnetAndTheirZones) {
  const auto gone_after = [&](auto change) {
    World before = world_;
    world_.neighbour(1, host_, "REACHABLE", true);
    want({host_});
    EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
    change();
    follow();
    EXPECT_THAT(hosts_.all(), testing::IsEmpty());
    world_ = before;
  };
  gone_after([&] { world_.mirror.links[1].up = false; });
  gone_after([&] { world_.mirror.addresses.erase(1); });
  gone_after([&] { world_.mirror.addresses[1] = {{host_, 24}}; });  // it is ours now
  gone_after([&] { world_.config.zones[0].connected = false; });
}

TEST_F(HostsOfPorts, AreNobodyElse) {
  world_.config.ports.push_back({.name = "static",
                                 .device = "net_null0",
                                 .addresses = {{address(10, 0, 3, 4), 24}},
                                 .neighbours = {{.address = address(10, 0, 3, 9), .mac = mac}}});
  EXPECT_FALSE(want({address(10, 0, 1, 4), address(10, 0, 1, 0), address(10, 0, 1, 255), address(8, 8, 8, 8),
                     address(10, 0, 3, 8)})
                   .more);
  EXPECT_TRUE(want({address(10, 0, 3, 9)}).more);
  EXPECT_THAT(hosts_.answered(), ElementsAre(address(10, 0, 3, 9)));
  world_.mirror.links[1].up = false;
  EXPECT_FALSE(want({host_}).more);
}

// A scan of absent addresses: who is there is found nevertheless, within `patience` and an answer.
TEST_F(HostsOfPorts, ThatAreAbsentDoNotCrowdOutWhoIsThere) {
  widen();
  for (unsigned i = 0; i < 2 * Hosts::most_asked; ++i) {
    want({nth(i)});
  }
  EXPECT_EQ(hosts_.all().size(), Hosts::most_asked);
  EXPECT_FALSE(want({host_}).more);
  EXPECT_FALSE(want({host_}).full) << "that is no shortage";
  now_ += Hosts::patience;
  EXPECT_TRUE(want({host_}).more);
  EXPECT_EQ(hosts_.all().size(), Hosts::most_asked);
  EXPECT_FALSE(hosts_.all().contains(nth(0))) << "who waited longest made room";
  world_.neighbour(1, host_, "REACHABLE", true);
  follow();
  now_ += Hosts::patience;
  for (unsigned i = 0; i < 2 * Hosts::most_asked; ++i) {
    want({nth(1000 + i)});
  }
  EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
}

TEST_F(HostsOfPorts, AreSoManyAndNoMore) {
  widen();
  for (unsigned i = 0; i < Hosts::most; ++i) {
    world_.neighbour(2, nth(i), "REACHABLE", true);
    EXPECT_FALSE(want({nth(i)}).full);
  }
  EXPECT_TRUE(hosts_.is_full());
  EXPECT_TRUE(want({host_}).full);
  EXPECT_FALSE(want({nth(0)}).full) << "it is among them";
  world_.neighbour(2, nth(5), "FAILED", false);
  follow();
  EXPECT_TRUE(want({host_}).more);
  EXPECT_TRUE(hosts_.all().contains(host_));
}

TEST_F(HostsOfPorts, AreTakenOverUntilTheKernelHasSpoken) {
  inherited_[{"lan", host_}] = mac;
  hosts_.inherit(host_);
  follow();
  EXPECT_THAT(hosts_.answered(), ElementsAre(host_));
  world_.neighbour(1, host_, "FAILED", false);
  follow();
  EXPECT_THAT(hosts_.all(), testing::IsEmpty());
}

}  // namespace
}  // namespace sekisho::reach
