// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/check/way.hpp"

namespace sekisho::check {
namespace {

bool is_advertised(const Facts& facts, base::Prefix prefix) {
  return std::ranges::binary_search(facts.advertised, prefix);
}

auto find_one_half(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables) {
    for (const auto half : halves) {
      const auto other = half == halves[0] ? halves[1] : halves[0];
      if (const auto route = exact(table, half); route && !exact(table, other))
        result.push_back(
            {place(facts, table, *route), fmt::format("{} stands in {} without {}", base::to_string(half),
                                                      table.name, base::to_string(other))});
    }
  }
  if (is_advertised(facts, halves[0]) != is_advertised(facts, halves[1])) {
    const bool first = is_advertised(facts, halves[0]);
    result.push_back({place(facts, facts.policy->config.bgp ? facts.policy->config.bgp->line : 0),
                      fmt::format("{} is advertised without {}", base::to_string(halves[first ? 0 : 1]),
                                  base::to_string(halves[first ? 1 : 0]))});
  }
  return result;
}

// Does the Internet's traffic leave by this port? Where that cannot be told, it might.
bool carries_internet(const Facts& facts, std::size_t port) {
  const auto& config = facts.policy->config;
  if (!config.internet || config.internet->exit == config.ports[port].name)
    return true;
  const auto leaves_by = [&](std::string_view next_hop) {
    return std::ranges::any_of(members_of(facts, next_hop), [&](std::uint32_t member) {
      const auto towards = port_towards(facts, member);
      return !towards || *towards == port;
    });
  };
  return leaves_by(config.internet->via) || std::ranges::any_of(config.zones, [&](const config::Zone& zone) {
           return !zone.via.empty() && leaves_by(zone.via);
         });
}

// Tables of the subnets by which the Internet's traffic leaves and into which Azure brings back what we advertise.
template <typename Visit>
void for_each_learning_subnet(const Facts& facts, const Visit& visit) {
  for (std::size_t port = 0; port < facts.subnets.size(); ++port)
    if (const auto& subnet = facts.subnets[port];
        subnet && subnet->takes_bgp == true && carries_internet(facts, port))
      visit(facts.policy->config.ports[port], subnet->table);
}

auto find_halves_trap(const Facts& facts) -> Offences {
  Offences result;
  if (!std::ranges::all_of(halves, [&](base::Prefix half) { return is_advertised(facts, half); }))
    return result;
  for_each_learning_subnet(facts, [&](const config::Port& port, const Table& table) {
    if (!has_both_halves(table))
      result.push_back(
          {table.name,
           fmt::format("the halves are advertised, the subnet of port {} learns them back, and its route "
                       "table {}",
                       port.name,
                       exact(table, default_route) ? "has only 0.0.0.0/0 against them"
                                                   : "has nothing against them")});
  });
  return result;
}

auto find_default_learned(const Facts& facts) -> Offences {
  Offences result;
  if (!is_advertised(facts, default_route))
    return result;
  for_each_learning_subnet(facts, [&](const config::Port& port, const Table& table) {
    if (!exact(table, default_route) && !has_both_halves(table))
      result.push_back(
          {table.name, fmt::format("0.0.0.0/0 is advertised, the subnet of port {} learns it back, and "
                                   "its route table has nothing against it",
                                   port.name)});
  });
  return result;
}

}  // namespace

const Rule one_half{"one-half", Severity::warning,
                    "0.0.0.0/1 and 128.0.0.0/1 stand for the default route together; with one of them, the "
                    "other half of the Internet is "
                    "dropped or goes where a shorter route says.",
                    "Write both halves, or 0.0.0.0/0 instead.", find_one_half};

const Rule halves_trap{
    "halves-trap", Severity::error,
    "A subnet that takes BGP routes learns the appliance's own halves back, and by longest prefix they win "
    "against a user "
    "route for 0.0.0.0/0: what leaves the appliance returns to it.",
    "Turn gateway route propagation off for that subnet, or give its route table 0.0.0.0/1 and 128.0.0.0/1.",
    find_halves_trap};

const Rule default_learned{
    "default-learned-back", Severity::error,
    "A subnet that takes BGP routes learns the appliance's own default back, and it replaces Azure's System "
    "default: what "
    "leaves the appliance returns to it.",
    "Turn gateway route propagation off for that subnet, or give its route table 0.0.0.0/0.",
    find_default_learned};

}  // namespace sekisho::check
