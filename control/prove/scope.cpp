// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/scope.hpp"

#include <algorithm>
#include <iterator>

#include "control/config/addresses.hpp"
#include "control/policy/system_routes.hpp"
#include "control/route/martians.hpp"

namespace sekisho::prove {
namespace {

using route::AddressSet;

auto own_networks(const config::Config& config) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> result;
  for (const auto& zone : config.zones) {
    std::ranges::copy_if(zone.sources, std::back_inserter(result),
                         [](base::Prefix source) { return source.length >= shortest_network; });
    result.insert(result.end(), zone.vnet.begin(), zone.vnet.end());
    result.insert(result.end(), zone.peerings.begin(), zone.peerings.end());
  }
  for (const auto& port : config.ports)
    std::ranges::transform(port.addresses, std::back_inserter(result), config::subnet_of);
  return result;
}

}  // namespace

auto martians() -> AddressSet {
  return AddressSet{route::martian_blocks()};
}

auto internet(const config::Config& config, const std::vector<base::Prefix>& subnets) -> AddressSet {
  auto others = own_networks(config);
  others.insert(others.end(), subnets.begin(), subnets.end());
  std::ranges::copy(policy::private_space, std::back_inserter(others));
  std::ranges::copy(policy::host_addresses, std::back_inserter(others));
  std::ranges::copy(route::martian_blocks(), std::back_inserter(others));
  return AddressSet{std::vector<AddressSet::Range>{{0, ~std::uint32_t{0}}}}.without(AddressSet{others});
}

auto addresses_of(const policy::Destinations& destinations, const AddressSet& internet) -> AddressSet {
  const AddressSet prefixes{destinations.prefixes};
  return destinations.internet ? prefixes.with(internet) : prefixes;
}

}  // namespace sekisho::prove
