// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/prefix.hpp"
#include "control/reach/members.hpp"
#include "tests/unit/reach/world.hpp"

namespace sekisho::reach {
namespace {

using base::MacAddress;
using config::InterfaceAddress;
using testing::ElementsAre;

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

}  // namespace
}  // namespace sekisho::reach
