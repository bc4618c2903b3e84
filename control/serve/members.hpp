// SPDX-License-Identifier: BSD-3-Clause
// A next hop's members with their state, as `show next-hops` and `explain` have them.
#pragma once

#include "control/config/config.hpp"
#include "control/reach/exit.hpp"
#include "control/serve/json.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

// In the order of their addresses. Without a view (nobody asked the kernel) the state is null.
[[nodiscard]] Json members_json(const config::NextHop& next_hop, const sync::View* view);

// Next hop `Internet`: its port, what it is masqueraded as, and whether it is ready.
[[nodiscard]] Json exit_json(const reach::Exit& exit);

}  // namespace sekisho::serve
