// SPDX-License-Identifier: BSD-3-Clause
// What is learned at run time is not known here; that it is asked for as it can work, is.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

auto find_learns_nothing(const Facts& facts) -> Offences {
  const auto& config = facts.policy->config;
  if (!config.bgp || !config.bgp->peers.empty() || config.learns())
    return {};
  return {{place(facts, config.bgp->line),
           "[bgp] has no peers, and no zone has \"bgp\" among its routes or sources"}};
}

// Whoever is admitted because of what was learned is answered by what was learned.
auto find_learned_without_way_back(const Facts& facts) -> Offences {
  Offences result;
  const auto& zones = facts.policy->config.zones;
  if (std::ranges::any_of(zones, &config::Zone::learned_routes))
    return result;
  for (const auto& zone : zones)
    if (zone.learned_sources)
      result.push_back(
          {place(facts, zone.line),
           fmt::format("zone {} admits learned sources, and no zone has \"bgp\" among its routes",
                       zone.name)});
  return result;
}

auto find_learned_default_unreached(const Facts& facts) -> Offences {
  const auto& config = facts.policy->config;
  const auto zone = std::ranges::find_if(config.zones, &config::Zone::follow_default);
  if (!config.bgp || zone == config.zones.end())
    return {};
  Offences result;
  for (const auto& peer : config.bgp->peers)
    if (std::ranges::find(facts.by_default_alone, peer.address) != facts.by_default_alone.end())
      result.push_back(
          {place(facts, peer.line),
           fmt::format(
               "zone {} follows a learned default, and this host reaches peer {} by its own default alone",
               zone->name, base::address_to_string(peer.address))});
  return result;
}

}  // namespace

const Rule learns_nothing{"learns-nothing", Severity::warning,
                          "Routes are learned for zones that ask for them; without one, [bgp] does nothing.",
                          "Write \"bgp\" in \"routes\" or \"sources\" of a zone, or remove [bgp].",
                          find_learns_nothing};

const Rule learned_without_way_back{"learned-without-way-back", Severity::warning,
                                    "What answers a learned source has to find it: the zone that replies "
                                    "come from needs the learned routes, too.",
                                    "Write \"bgp\" in \"routes\" of the zone from which replies come.",
                                    find_learned_without_way_back};

const Rule learned_default_unreached{
    "learned-default-unreached", Severity::warning,
    "FRR installs no default whose next hop, the peer, it reaches by a default: the "
    "zone never gets it, though the session stands.",
    "Give the host a route to the peer's subnet, and restart FRR.", find_learned_default_unreached};

}  // namespace sekisho::check
