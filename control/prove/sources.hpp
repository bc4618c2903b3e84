// SPDX-License-Identifier: BSD-3-Clause
// Who belongs to which zone: every source at once, by the longest prefix over all zones, as the dataplane's table of sources
// decides. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/route/address_set.hpp"

namespace sekisho::prove {

struct Sources {
  std::vector<route::AddressSet> zones;  // as in the policy
  route::AddressSet nobody;              // dropped as it comes in
};

// Sources that no packet may have are nowhere among them: martian addresses and `nobodys`.
[[nodiscard]] auto sources_of(const policy::Policy& policy, std::span<const base::Prefix> nobodys = {})
    -> Sources;

}  // namespace sekisho::prove
