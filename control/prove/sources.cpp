// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/sources.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "control/prove/scope.hpp"
#include "control/route/nest.hpp"

namespace sekisho::prove {

auto sources_of(const policy::Policy& policy) -> Sources {
  const auto nobody = policy.zones.size();
  std::vector<std::pair<base::Prefix, std::size_t>> all;
  for (std::size_t zone = 0; zone < policy.zones.size(); ++zone)
    for (const auto source : policy.zones[zone].sources)
      all.emplace_back(source, zone);
  std::ranges::sort(all);

  std::vector<std::vector<route::AddressSet::Range>> ranges(nobody + 1);
  route::Nest<std::size_t> nest{nobody};
  std::uint64_t position = 0;
  const auto advance = [&](std::uint64_t to) {
    while (position < to) {
      const auto next = std::min(to, nest.end());
      ranges[nest.value()].push_back(
          {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(next - 1)});
      position = next;
      nest.leave_before(position);
    }
  };
  for (const auto& [prefix, zone] : all) {
    advance(prefix.address);
    nest.enter(prefix, zone);
  }
  advance(route::all_addresses);

  Sources result;
  const auto impossible = martians();
  for (std::size_t zone = 0; zone < nobody; ++zone)
    result.zones.push_back(route::AddressSet{std::move(ranges[zone])}.without(impossible));
  result.nobody = route::AddressSet{std::move(ranges[nobody])}.without(impossible);
  return result;
}

}  // namespace sekisho::prove
