// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "control/reach/hosts.hpp"
#include "tests/unit/reach/world.hpp"

namespace sekisho::reach {
namespace {

using testing::ElementsAre;

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
