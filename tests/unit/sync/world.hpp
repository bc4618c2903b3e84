// SPDX-License-Identifier: BSD-3-Clause
// A policy and a view of it for tests of what the dataplane is told, and what a dataplane's tables would hold afterwards.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::sync::world {

inline constexpr std::uint32_t lan_address = 0x0a000104;  // 10.0.1.4
inline constexpr std::uint32_t firewall = 0x0a00020a;     // 10.0.2.10
inline constexpr base::MacAddress mac{2, 0, 0, 0, 0, 1};

using Table = std::map<std::pair<std::uint32_t, unsigned>, std::string>;  // address and length to next hop

// What a dataplane's table would hold; a prefix that stands twice is an error of ours.
inline std::map<std::string, Table> tables(const std::vector<ipc::Change>& changes) {
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

inline policy::ZonePolicy zone(policy::Policy& policy, const std::string& name,
                               const std::vector<std::pair<base::Prefix, std::string>>& routes) {
  policy::ZonePolicy zone{.name = name, .ports = {"lan"}, .sources = {{0xac100000, 12}}};
  for (const auto& [prefix, next_hop] : routes) {
    zone.table.add(
        {.prefix = prefix, .origin = route::Origin::user, .next_hop = policy.names.intern(next_hop)});
  }
  zone.table.finish();
  return zone;
}

inline policy::Policy example() {
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

inline View example_view() {
  View view;
  view.members = {{"", 0xc0000201, {}, false, ""},
                  {"egress", firewall, mac, true, "reachable"},
                  {"egress", firewall + 1, {}, false, "neighbour is FAILED"}};
  view.ports = {{"egress", "4 02", {0x0a000204, 0x0a0002ff}}, {"lan", "3 02", {lan_address, 0x0a0001ff}}};
  view.unicast = {lan_address, 0x0a000204};
  return view;
}

}  // namespace sekisho::sync::world
