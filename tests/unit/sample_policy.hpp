// SPDX-License-Identifier: BSD-3-Clause
// A configuration that several rooms' tests begin with, and what the kernel says of its ports.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::test {

inline std::uint32_t ip(std::string_view text) {
  return base::parse_address(text).value();
}

inline const std::string ports_and_firewall = R"([port.lan]
device = "af_xdp:lan0"
[port.egress]
device = "af_xdp:egress0"
[next_hop.firewall]
members = ["10.0.2.10", "10.0.2.11"]
)";

// Zone onprem has the halves by the firewall; another next hop leads back.
inline const std::string internet_by_halves = ports_and_firewall + R"([next_hop.other]
members = ["10.0.2.20"]
[internet]
via = "firewall"
install = "halves"
exit = { port = "egress" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "other" }]
)";

inline constexpr std::string_view gateway = R"([next_hop.gateway]
members = ["10.0.2.20"]
)";

// Zone onprem goes to the Internet by the firewall, and zone back to the gateway.
inline constexpr std::string_view internet_and_back = R"([internet]
via = "firewall"
exit = { port = "egress" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
[zone.back]
port = ["egress"]
sources = ["10.9.0.0/16"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "gateway" }]
)";

// With one piece of text replaced.
inline auto replaced(std::string text, std::string_view old, std::string_view now) -> std::string {
  const auto at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return at == std::string::npos ? text : text.replace(at, old.size(), now);
}

// Both ports are up and have an address; nobody is known on their subnets.
inline auto both_ports() -> netlink::Mirror {
  netlink::Mirror mirror;
  mirror.links[1] = {
      .index = 1, .name = "lan0", .up = true, .enabled = true, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500};
  mirror.links[2] = {
      .index = 2, .name = "egress0", .up = true, .enabled = true, .mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500};
  mirror.addresses[1] = {{ip("10.0.1.4"), 24}};
  mirror.addresses[2] = {{ip("10.0.2.4"), 24}};
  return mirror;
}

}  // namespace sekisho::test
