// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/host_sources.hpp"

#include <algorithm>
#include <set>

#include "control/reach/host_stack.hpp"

namespace sekisho::sync {
namespace {

// The metadata, name and time servers of Azure, AWS and Google Cloud are in it.
constexpr base::Prefix link_local{0xa9fe'0000, 16};

}  // namespace

auto host_sources(const policy::Policy& policy, const config::Port& port,
                  const View::PortAddresses& addresses) -> std::vector<base::Prefix> {
  std::set<base::Prefix> sources{reach::azure_host, link_local};
  sources.insert(addresses.subnets.begin(), addresses.subnets.end());
  sources.insert(port.host_sources.begin(), port.host_sources.end());
  if (port.gateway) {
    sources.insert({*port.gateway, 32});
  }
  if (policy.config.bgp) {
    for (const auto& peer : policy.config.bgp->peers) {
      sources.insert({peer.address, 32});
    }
  }
  // What answers a probe through a member comes by the member's port.
  for (const auto& next_hop : policy.config.next_hops) {
    const bool is_here = std::ranges::any_of(next_hop.members, [&](std::uint32_t member) {
      return std::ranges::any_of(addresses.subnets, [&](base::Prefix own) { return own.covers(member); });
    });
    if (!is_here || !next_hop.probe) {
      continue;
    }
    for (const auto& target : next_hop.probe->through) {
      for (const auto address : target.addresses) {
        sources.insert({address, 32});
      }
    }
  }
  // The kernel masquerades what leaves by the exit as the port's own address: what answers comes for that.
  if (policy.config.internet && policy.config.internet->exit == port.name) {
    sources.insert(policy.exceptions.begin(), policy.exceptions.end());
  }
  return {sources.begin(), sources.end()};
}

auto known_sources(const policy::Policy& policy, const View& view, const config::Port& port)
    -> decide::HostSources {
  decide::HostSources::Rules rules;
  for (const auto& zone : policy.zones) {
    rules.add_zone(zone.sources, std::ranges::find(zone.ports, port.name) != zone.ports.end());
  }
  for (const auto& addresses : view.ports) {
    if (addresses.port == port.name) {
      rules.allow(host_sources(policy, port, addresses));
    }
  }
  for (const auto& addresses : view.ports) {
    rules.add_own(addresses.local);
  }
  return decide::HostSources{std::move(rules)};
}

}  // namespace sekisho::sync
