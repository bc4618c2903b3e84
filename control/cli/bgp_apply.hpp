// SPDX-License-Identifier: BSD-3-Clause
// `sekisho bgp apply`: puts the rendered frr.conf where FRR reads it, unless somebody else's is there.
#pragma once

#include <string>

#include "control/cli/context.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {

// Of a policy with BGP peers. `file`: empty for the one that FRR's instance reads.
[[nodiscard]] Outcome apply_bgp(const Context& context, const policy::Policy& policy,
                                const std::string& file);

}  // namespace sekisho::cli
