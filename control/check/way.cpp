// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/way.hpp"

#include <algorithm>

#include "control/config/addresses.hpp"

namespace sekisho::check {

auto members_of(const Facts& facts, std::string_view next_hop) -> const std::vector<std::uint32_t>& {
  static const std::vector<std::uint32_t> none;
  const auto& all = facts.policy->config.next_hops;
  const auto found = std::ranges::find(all, next_hop, &config::NextHop::name);
  return found == all.end() ? none : found->members;
}

bool all_addresses_known(const Facts& facts) {
  return std::ranges::all_of(facts.addresses, [](const auto& addresses) { return addresses.has_value(); });
}

auto port_towards(const Facts& facts, std::uint32_t address) -> std::optional<std::size_t> {
  std::optional<std::size_t> best;
  int best_length = -1;
  for (std::size_t port = 0; port < facts.addresses.size(); ++port) {
    if (!facts.addresses[port])
      return std::nullopt;
    for (const auto& own : *facts.addresses[port]) {
      const auto subnet = config::subnet_of(own);
      if (subnet.covers(address) && subnet.length > best_length) {
        best = port;
        best_length = subnet.length;
      }
    }
  }
  return best;
}

auto port_of(const Facts& facts, std::string_view next_hop) -> std::optional<std::size_t> {
  std::optional<std::size_t> result;
  for (const auto member : members_of(facts, next_hop)) {
    const auto port = port_towards(facts, member);
    if (!port || (result && *result != *port))
      return std::nullopt;
    result = port;
  }
  return result;
}

bool is_own(const Facts& facts, std::uint32_t address) {
  const auto& balanced = facts.policy->config.azure.own_addresses;
  const auto has_it = [&](const auto& addresses) {
    return addresses &&
           std::ranges::find(*addresses, address, &config::InterfaceAddress::address) != addresses->end();
  };
  return std::ranges::binary_search(balanced, address) || std::ranges::any_of(facts.addresses, has_it);
}

auto zone_of(const Facts& facts, const Table& table) -> const policy::ZonePolicy* {
  const auto& zones = facts.policy->zones;
  const auto found = std::ranges::find_if(
      zones, [&](const policy::ZonePolicy& zone) { return &zone.table == table.routes.get(); });
  return found == zones.end() ? nullptr : &*found;
}

auto zone_table(const Facts& facts, const policy::ZonePolicy& zone) -> const Table& {
  return *std::ranges::find_if(facts.tables,
                               [&](const Table& table) { return table.routes.get() == &zone.table; });
}

auto zone_of_source(const Facts& facts, std::uint32_t address) -> std::optional<std::size_t> {
  const auto& zones = facts.policy->zones;
  std::optional<std::size_t> best;
  int best_length = -1;
  for (std::size_t zone = 0; zone < zones.size(); ++zone) {
    for (const auto source : zones[zone].sources) {
      if (source.covers(address) && source.length > best_length) {
        best = zone;
        best_length = source.length;
      }
    }
  }
  return best;
}

}  // namespace sekisho::check
