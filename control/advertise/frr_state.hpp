// SPDX-License-Identifier: BSD-3-Clause
// What FRR says of itself, read from the answers of `vtysh`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

// Of `show running-config no-header` of bgpd.
struct RunningConfig {
  std::string version;                   // "8.4.4"; empty: it is not said
  std::vector<std::uint32_t> asns;       // of `router bgp` of the default VRF: none or one
  std::vector<base::Prefix> originated;  // its `network` statements of IPv4 unicast; sorted
};
[[nodiscard]] auto read_running_config(std::string_view text) -> RunningConfig;

// A line of `show bgp ipv4 unicast summary json`.
struct PeerState {
  std::uint32_t address = 0;
  std::uint32_t asn = 0;
  std::string state;  // "Established", "Active", "Connect", "Idle (Admin)"
  bool is_established = false;
  std::uint64_t since_unix_ms = 0;  // it is established; 0: it is not, or FRR does not say
  std::uint64_t received = 0;       // prefixes
  std::uint64_t sent = 0;

  friend bool operator==(const PeerState&, const PeerState&) = default;
};
[[nodiscard]] auto read_summary(const nlohmann::json& summary) -> frr::Result<std::vector<PeerState>>;

// Of `show bgp ipv4 unicast neighbors PEER advertised-routes json`; sorted.
[[nodiscard]] auto read_advertised_routes(const nlohmann::json& routes)
    -> frr::Result<std::vector<base::Prefix>>;

}  // namespace sekisho::advertise
