// SPDX-License-Identifier: BSD-3-Clause
// Two ports with a subnet each, as the kernel tells of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mac_address.hpp"
#include "control/reach/members.hpp"

namespace sekisho::reach {

constexpr std::uint32_t address(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr base::MacAddress mac{2, 0, 0, 0, 0, 1};
inline const std::uint32_t firewall = address(10, 0, 2, 10);

inline config::Port kernel_port(const std::string& name, const std::string& netdev) {
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
    mirror.neighbours[{index, at}] = {
        .state = state, .usable = usable, .mac = usable ? mac : base::MacAddress{}};
  }
  [[nodiscard]] Member only() const {
    const auto all = members(config, mirror);
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }

  config::Config config;
  netlink::Mirror mirror;
};

}  // namespace sekisho::reach
