// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/reach/connected.hpp"
#include "tests/unit/reach/world.hpp"

namespace sekisho::reach {
namespace {

using testing::ElementsAre;

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

}  // namespace
}  // namespace sekisho::reach
