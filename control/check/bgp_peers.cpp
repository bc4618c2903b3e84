// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/config/azure.hpp"

namespace sekisho::check {
namespace {

template <typename Holds>
auto find_peers(const Facts& facts, Holds offence) -> Offences {
  Offences result;
  if (const auto& bgp = facts.policy->config.bgp)
    for (const auto& peer : bgp->peers)
      if (auto what = offence(*bgp, peer); !what.empty())
        result.push_back({place(facts, peer.line), std::move(what)});
  return result;
}

bool is_azures(const config::BgpPeer& peer) {
  return peer.preset == config::PeerPreset::azure_route_server ||
         peer.preset == config::PeerPreset::azure_vwan_hub;
}

auto find_strange_asn(const Facts& facts) -> Offences {
  return find_peers(facts, [](const config::Bgp&, const config::BgpPeer& peer) {
    const bool is_strange = is_azures(peer) != (peer.asn == config::route_server_asn);
    return is_strange
               ? fmt::format("peer {} is AS {} with preset \"{}\"", base::address_to_string(peer.address),
                             peer.asn, config::to_string(peer.preset))
               : std::string{};
  });
}

auto find_internal(const Facts& facts) -> Offences {
  return find_peers(facts, [](const config::Bgp& bgp, const config::BgpPeer& peer) {
    return peer.asn == bgp.asn ? fmt::format("peer {} has the appliance's own AS number, {}",
                                             base::address_to_string(peer.address), bgp.asn)
                               : std::string{};
  });
}

// Where all ports' addresses are known.
bool is_nobodys(const Facts& facts, std::uint32_t address) {
  const auto& own = facts.policy->config.azure.own_addresses;
  if (std::ranges::binary_search(own, address))
    return false;
  return std::ranges::all_of(facts.addresses, [&](const auto& addresses) {
    return addresses &&
           std::ranges::find(*addresses, address, &config::InterfaceAddress::address) == addresses->end();
  });
}

auto find_strange_next_hop(const Facts& facts) -> Offences {
  return find_peers(facts, [&](const config::Bgp&, const config::BgpPeer& peer) {
    return peer.next_hop && is_nobodys(facts, *peer.next_hop)
               ? fmt::format(
                     "peer {} is told next hop {}, which is neither a port's address nor in own_addresses",
                     base::address_to_string(peer.address), base::address_to_string(*peer.next_hop))
               : std::string{};
  });
}

}  // namespace

const Rule peer_asn_strange{
    "peer-asn-strange", Severity::warning,
    "Route Server and the routers of a Virtual WAN hub are AS 65515, and nobody else is.",
    "Correct the peer's asn, or its preset.", find_strange_asn};

const Rule peer_internal{
    "peer-internal", Severity::warning,
    "A peer of the same AS hands on nothing to others of that AS, and its path is not prepended.",
    "Give the appliance an AS number of its own.", find_internal};

const Rule next_hop_strange{
    "bgp-next-hop-strange", Severity::warning, "Peers send traffic to the next hop that they are told.",
    "Write an address of a port, or name the load balancer's frontend in own_addresses of [azure].",
    find_strange_next_hop};

}  // namespace sekisho::check
