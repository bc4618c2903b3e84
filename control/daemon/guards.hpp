// What the guard is to know of a policy.
#pragma once

#include "control/kernel/guard.hpp"
#include "control/policy/policy.hpp"

namespace sekisho {

[[nodiscard]] kernel::Guard guard_of(const policy::Policy& policy);
// Of one that waits: it lets nothing out yet.
[[nodiscard]] kernel::Guard netdevs_of(const policy::Policy& policy);

}  // namespace sekisho
