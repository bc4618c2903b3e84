// SPDX-License-Identifier: BSD-3-Clause
// Which zone a source belongs to, as the dataplane's table of sources decides: by the longest prefix over all
// zones.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::serve {

struct ZoneMatch {
  const policy::ZonePolicy* zone = nullptr;
  base::Prefix prefix;
};

[[nodiscard]] auto zone_of(const policy::Policy& policy, std::uint32_t source) -> std::optional<ZoneMatch>;

// An address whose packets the zone's table decides about; none when other zones' longer prefixes cover all
// of its sources.
[[nodiscard]] auto source_in(const policy::Policy& policy, const policy::ZonePolicy& zone)
    -> std::optional<std::uint32_t>;

}  // namespace sekisho::serve
