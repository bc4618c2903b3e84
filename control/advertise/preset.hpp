// SPDX-License-Identifier: BSD-3-Clause
// What each kind of peer needs of a BGP speaker. Only what its documentation says; where that is silent, FRR's own way.
#pragma once

#include <optional>

#include "control/config/config.hpp"

namespace sekisho::advertise {

struct Timers {
  unsigned keepalive = 0;  // seconds
  unsigned hold = 0;
};

struct Preset {
  std::optional<unsigned> hops;  // of the session; none: the peer is on a subnet of ours
  std::optional<Timers> timers;  // that are asked for: the shorter hold time of both sides counts
  bool bfd = false;              // the peer speaks it when it is told to
};

// Azure Route Server, and the routers of a Virtual WAN hub: not on a subnet of the appliance, so their sessions have several hops; their
//   timers are 60 and 180 s, and a peer may ask for less ("Azure Route Server FAQ", "What is the BGP timer"). 180 s is long to send
//   traffic to an appliance whose machine is gone. No source says that BFD or graceful restart work there.
// AWS: "VPC Route Server", peer liveness detection is `bgp-keepalive`, or `bfd` (RFC 5880) where the peer is made with it. Without it on
//   the other side FRR's session is as without BFD.
// Google Cloud Router: keepalive 20 s, hold three times that, "set the same on your router" ("Manage BGP timers").
[[nodiscard]] constexpr auto preset_of(config::PeerPreset kind) -> Preset {
  using config::PeerPreset;
  constexpr Timers third_of_azures{20, 60};
  constexpr Timers googles{20, 60};
  constexpr unsigned several_hops = 8;
  switch (kind) {
    case PeerPreset::azure_route_server:
    case PeerPreset::azure_vwan_hub:
      return {.hops = several_hops, .timers = third_of_azures};
    case PeerPreset::aws_route_server:
      return {.hops = {}, .timers = {}, .bfd = true};
    case PeerPreset::gcp_cloud_router:
      return {.hops = {}, .timers = googles};
    case PeerPreset::generic:
      break;
  }
  return {};
}

}  // namespace sekisho::advertise
