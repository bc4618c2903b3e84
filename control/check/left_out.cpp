// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

auto find_route_left_out(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& left_out : facts.policy->oddities.left_out) {
    const auto* reason = left_out.type == route::NextHopType::internet
                             ? "it would go past the firewall; write the route if that is meant"
                             : "nothing is bound to it in [azure.next_hop]";
    result.push_back({left_out.file.string(),
                      fmt::format("{} route {}{} to {} is left out: {}", route::to_string(left_out.origin),
                                  base::to_string(left_out.first),
                                  left_out.count > 1 ? fmt::format(" and {} more", left_out.count - 1) : "",
                                  route::to_string(left_out.type), reason)});
  }
  return result;
}

auto find_next_hop_maybe_own(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& own : facts.policy->oddities.maybe_own)
    result.push_back(
        {own.file.string(),
         fmt::format("BGP route {} goes to {}, unless its next hop {}{} is this appliance's own, which means "
                     "[internet].via: the addresses of {} are not known here; an own one can be written in "
                     "own_addresses of [azure]",
                     base::to_string(own.prefix), own.next_hop, base::address_to_string(own.address),
                     own.count > 1 ? fmt::format(" (and {} more of others)", own.count - 1) : "",
                     own.interfaces)});
  return result;
}

}  // namespace

const Rule route_left_out{
    "route-left-out", Severity::warning,
    "Effective routes bring Azure's own System routes along; only a route that somebody wrote leads past the "
    "firewall.",
    "Write the route in the zone's \"routes\" if it is meant, or bind its type in [azure.next_hop].",
    find_route_left_out};

const Rule next_hop_maybe_own{
    "next-hop-maybe-own", Severity::warning,
    "A learned route whose next hop is this appliance means [internet].via, and of an interface that is not "
    "here no "
    "address is known.",
    "Check on the appliance itself, or write its addresses in own_addresses of [azure].",
    find_next_hop_maybe_own};

}  // namespace sekisho::check
