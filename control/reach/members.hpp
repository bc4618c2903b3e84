// SPDX-License-Identifier: BSD-3-Clause
// Which port leads to a next hop's member, and whether the member is alive by the kernel's word: its port's link is up and its
// neighbour entry is usable. Whether it also answers its probe: control/reach/liveness.hpp. Pure: from configuration and the
// kernel's mirror to adjacencies.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/netlink/netlink.hpp"

namespace sekisho::reach {

struct Member {
  std::string port;  // whose subnet has the address (longest prefix; then the port's name)
  std::uint32_t address = 0;
  std::optional<base::MacAddress> mac;
  bool alive = false;
  std::string why;      // "reachable"; or why not: "link egress is down", "neighbour is FAILED"
  bool asking = false;  // the kernel has not said yet whether the neighbour is there
  // Alive because it was when we took over, or before its entry was removed, and the kernel has not spoken yet.
  bool inherited = false;
  // What control/reach/liveness.hpp adds.
  std::optional<std::chrono::steady_clock::time_point> since = {};  // it is alive, or not; none: not decided
  unsigned ups = 0;                                                 // how often it came back since then
  unsigned downs = 0;                                               // and how often it went
  bool is_probed = false;
  std::optional<std::chrono::microseconds> round_trip = {};  // of the last probe that was answered

  friend bool operator==(const Member&, const Member&) = default;
};

// Members that the dataplane forwarded to when this control took over, by port and address. A kernel that has not resolved
// a neighbour yet (an entry that is missing or INCOMPLETE) knows nothing against it: to declare it dead then would
// interrupt traffic that flows.
using Inherited = std::map<std::pair<std::string, std::uint32_t>, base::MacAddress>;

// Every member of every next hop, once, sorted by port and address. A member that is in no port's subnet has
// an empty `port` and is not alive: it has no adjacency until an address appears that reaches it.
[[nodiscard]] auto members(const config::Config& config, const netlink::Mirror& mirror,
                           const Inherited& inherited = {}) -> std::vector<Member>;
// Any address as if a next hop had it.
[[nodiscard]] auto member(std::uint32_t address, const config::Config& config, const netlink::Mirror& mirror,
                          const Inherited& inherited = {}) -> Member;

// What a port has, by the kernel or, where that has no interface of it, by the configuration.
[[nodiscard]] auto port_addresses(const config::Port& port, const netlink::Mirror& mirror)
    -> const std::vector<config::InterfaceAddress>&;
[[nodiscard]] auto subnet(const config::InterfaceAddress& address) -> base::Prefix;

// The kernel's addresses on a port: unicast, and the broadcast addresses of their subnets; and those on the loopback interface but
// 127/8, which are this appliance's on every port. Sorted.
[[nodiscard]] auto local_addresses(const config::Port& port, const netlink::Mirror& mirror)
    -> std::vector<std::uint32_t>;
// Without the broadcast addresses.
[[nodiscard]] auto unicast_addresses(const config::Port& port, const netlink::Mirror& mirror)
    -> std::vector<std::uint32_t>;

}  // namespace sekisho::reach
