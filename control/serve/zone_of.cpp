// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/zone_of.hpp"

#include <vector>

#include "common/base/special_address.hpp"

namespace sekisho::serve {

auto zone_of(const policy::Policy& policy, std::uint32_t source) -> std::optional<ZoneMatch> {
  std::optional<ZoneMatch> best;
  for (const auto& zone : policy.zones) {
    for (const auto prefix : zone.sources) {
      if (prefix.covers(source) && (!best || prefix.length > best->prefix.length)) {
        best = ZoneMatch{&zone, prefix};
      }
    }
  }
  return best;
}

auto source_in(const policy::Policy& policy, const policy::ZonePolicy& zone) -> std::optional<std::uint32_t> {
  // Where the answer of a longest prefix match can change: at the first address of a prefix and behind its
  // last.
  std::vector<std::uint32_t> starts;
  for (const auto& other : policy.zones) {
    for (const auto prefix : other.sources) {
      starts.push_back(prefix.address);
      if (prefix.last() != ~std::uint32_t{0}) {
        starts.push_back(prefix.last() + 1);
      }
    }
  }
  // The first addresses behind 0/8, 127/8: the default's first address is a martian, which is no sender.
  starts.push_back(0x01000000);
  starts.push_back(0x80000000);
  for (const auto start : starts) {
    const auto match = zone_of(policy, start);
    if (match && match->zone == &zone && !base::special(start)) {
      return start;
    }
  }
  return std::nullopt;
}

}  // namespace sekisho::serve
