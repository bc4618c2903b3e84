// SPDX-License-Identifier: BSD-3-Clause
// The subnets of the ports, which a zone with `connected = true` has as routes: a destination in one of them is its own
// neighbour. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/netlink/netlink.hpp"

namespace sekisho::reach {

struct Connected {
  base::Prefix prefix;
  std::string port;  // whose subnet it is: the first by name, as port_towards a member
  friend bool operator==(const Connected&, const Connected&) = default;
};

// Sorted by prefix, each once, without /32, which hold nobody else; nothing when no zone wants them.
[[nodiscard]] auto connected(const config::Config& config, const netlink::Mirror& mirror)
    -> std::vector<Connected>;

// The subnet's addresses that are nobody's: its network and its directed broadcast address (RFC 1812, 5.3.5: "a router SHOULD
// NOT forward network-directed broadcasts" unless told to, as RFC 2644 has it). A /31 has none (RFC 3021).
[[nodiscard]] auto edges(base::Prefix subnet) -> std::vector<std::uint32_t>;

// The longest that covers the address; null: none does.
[[nodiscard]] auto covering(const std::vector<Connected>& connected, std::uint32_t address)
    -> const Connected*;
// Whether it may be a host of one of them. It may be our own, too.
[[nodiscard]] bool has_host(const std::vector<Connected>& connected, std::uint32_t address);

// The name of a host's next hop: "host-10-0-1-7". The configuration refuses such names.
[[nodiscard]] auto host_name(std::uint32_t address) -> std::string;

}  // namespace sekisho::reach
