// SPDX-License-Identifier: BSD-3-Clause
// What [icmp] means, drop reason by drop reason.
#pragma once

#include "control/policy/policy.hpp"
#include "dataplane.pb.h"
#include "dataplane/decide/answer.hpp"

namespace sekisho::sync {

[[nodiscard]] auto icmp_policy(const policy::Policy& policy) -> decide::IcmpPolicy;
[[nodiscard]] auto icmp_message(const decide::IcmpPolicy& policy) -> ipc::Icmp;

}  // namespace sekisho::sync
