// SPDX-License-Identifier: BSD-3-Clause
// Exceptions: what leaves by next hop `Internet`, past the firewall.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::policy {

// Why this next hop cannot be that prefix's.
[[nodiscard]] auto refuse_exception(base::Prefix prefix, std::string_view next_hop)
    -> std::optional<std::string>;

// Of all zones: sorted, none covers another.
[[nodiscard]] auto collect_exceptions(const Policy& policy) -> std::vector<base::Prefix>;

}  // namespace sekisho::policy
