// SPDX-License-Identifier: BSD-3-Clause
// The routes of a zone's table that come and go with the kernel's addresses and neighbours, beside those of its policy. Pure.
//
//   own        every zone, before all others: our own addresses, to the host
//   connected  a zone with `connected = true`: the ports' subnets, each a System route. The policy's route of the same prefix
//              goes before it, unless that is a System route, too, and none of the VNet's own (a None route for private space)
//   edge       where the connected route is the longest: network and broadcast address, which are nobody's, dropped. Otherwise
//              the dataplane would ask for them as hosts, again and again
//   host       the same: a host that answered, to its own next hop
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::sync {

struct KernelRoute {
  enum class Kind : std::uint8_t { own, connected, edge, host };
  base::Prefix prefix;
  std::string_view next_hop;  // as the dataplane calls it
  Kind kind = Kind::own;
  std::string_view port;  // whose subnet it is; empty of an own address
};

// Those in force, sorted by prefix, each prefix once: all of them go before the policy's of the same prefix. The view must
// outlive them.
[[nodiscard]] auto kernel_routes(const policy::ZonePolicy& zone, const View& view)
    -> std::vector<KernelRoute>;

}  // namespace sekisho::sync
