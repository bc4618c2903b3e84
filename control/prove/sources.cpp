// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/sources.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "control/prove/scope.hpp"
#include "control/route/nest.hpp"

namespace sekisho::prove {

auto sources_of(const policy::Policy& policy, std::span<const base::Prefix> nobodys) -> Sources {
  const auto nobody = policy.zones.size();
  std::vector<std::pair<base::Prefix, std::size_t>> all;
  for (std::size_t zone = 0; zone < policy.zones.size(); ++zone)
    for (const auto source : policy.zones[zone].sources)
      all.emplace_back(source, zone);
  std::ranges::sort(all);

  std::vector<std::vector<route::AddressSet::Range>> ranges(nobody + 1);
  route::Nest<std::size_t> nest{nobody};
  std::uint64_t position = 0;
  const auto keep = [&](std::uint32_t first, std::uint32_t last, std::size_t zone) {
    ranges[zone].push_back({first, last});
  };
  for (const auto& [prefix, zone] : all) {
    nest.advance(position, prefix.address, keep);
    nest.enter(prefix, zone);
  }
  nest.advance(position, route::all_addresses, keep);

  Sources result;
  const auto impossible = martians().with(route::AddressSet{nobodys});
  for (std::size_t zone = 0; zone < nobody; ++zone)
    result.zones.push_back(route::AddressSet{std::move(ranges[zone])}.without(impossible));
  result.nobody = route::AddressSet{std::move(ranges[nobody])}.without(impossible);
  return result;
}

}  // namespace sekisho::prove
