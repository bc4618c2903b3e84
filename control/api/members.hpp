// A next hop's members with their state, as `show next-hops` and `explain` have them.
#pragma once

#include <vector>

#include "control/api/json.hpp"
#include "control/config/config.hpp"
#include "control/egress/exit.hpp"
#include "control/egress/members.hpp"

namespace sekisho::api {

// In the order of their addresses. Without `members` (nobody asked the kernel) the state is null.
[[nodiscard]] Json members_json(const config::NextHop& next_hop, const std::vector<egress::Member>* members);

// Next hop `Internet`: its port, what it is masqueraded as, and whether it is ready.
[[nodiscard]] Json exit_json(const egress::Exit& exit);

}  // namespace sekisho::api
