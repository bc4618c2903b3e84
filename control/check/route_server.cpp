// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/config/azure.hpp"

namespace sekisho::check {
namespace {

auto find_one_route_server(const Facts& facts) -> Offences {
  const auto& bgp = facts.policy->config.bgp;
  if (!bgp || std::ranges::count(bgp->peers, config::route_server_asn, &config::BgpPeer::asn) != 1)
    return {};
  const auto peer = std::ranges::find(bgp->peers, config::route_server_asn, &config::BgpPeer::asn);
  return {{place(facts, peer->line),
           fmt::format("{} is the only peer with AS {}", base::address_to_string(peer->address),
                       config::route_server_asn)}};
}

}  // namespace

const Rule one_route_server{"one-route-server", Severity::warning,
                            "Route Server, as a Virtual WAN hub, is two routers; when the only one that is a "
                            "peer is serviced, all routes of the "
                            "appliance are withdrawn.",
                            "Peer with both addresses, and advertise the same to both.",
                            find_one_route_server};

}  // namespace sekisho::check
