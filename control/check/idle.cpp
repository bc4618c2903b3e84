// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/policy/system_routes.hpp"

namespace sekisho::check {
namespace {

auto find_port_in_no_zone(const Facts& facts) -> Offences {
  Offences result;
  const auto& config = facts.policy->config;
  for (const auto& port : config.ports) {
    const auto has_it = [&](const config::Zone& zone) {
      return std::ranges::find(zone.ports, port.name) != zone.ports.end();
    };
    if (std::ranges::none_of(config.zones, has_it))
      result.push_back(
          {place(facts, port.line),
           fmt::format("port {} is in no zone: everything received on it is dropped", port.name)});
  }
  return result;
}

auto find_zone_without_route(const Facts& facts) -> Offences {
  Offences result;
  const auto& policy = *facts.policy;
  for (std::size_t i = 0; i < policy.zones.size(); ++i)
    if (const auto& zone = policy.zones[i]; !zone.connected && !policy.config.zones[i].learned_routes &&
                                            zone.table.candidates().size() == policy::routes_of_every_zone)
      result.push_back({place(facts, policy.config.zones[i].line),
                        fmt::format("zone {} has no route: everything from it is dropped", zone.name)});
  return result;
}

}  // namespace

const Rule port_in_no_zone{"port-in-no-zone", Severity::warning,
                           "A source belongs to a zone by its address and its port; on a port that no zone "
                           "names, every source is unknown.",
                           "Name the port in a zone, or remove it.", find_port_in_no_zone};

const Rule zone_without_route{
    "zone-without-route", Severity::warning,
    "Where a packet may go, its zone's own table tells; an empty one drops all.",
    "Give the zone routes (\"bgp\" among them), `internet = true` or `connected = true`.",
    find_zone_without_route};

}  // namespace sekisho::check
