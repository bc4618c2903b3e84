// The answers of `show`, as pure functions from what the daemon knows to JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "control/api/backend.hpp"
#include "control/api/json.hpp"
#include "control/api/live.hpp"
#include "control/api/problems.hpp"
#include "control/egress/exit.hpp"
#include "control/egress/members.hpp"
#include "control/kernel/netlink.hpp"
#include "control/policy/policy.hpp"
#include "dataplane.pb.h"

namespace sekisho::api {

[[nodiscard]] Json show_ports(const policy::Policy& policy, const kernel::Mirror& mirror, const Live& live);
[[nodiscard]] Json show_zones(const policy::Policy& policy, const Live& live);
[[nodiscard]] Json show_next_hops(const policy::Policy& policy, const std::vector<egress::Member>& members,
                                  const std::optional<egress::Exit>& exit, const Live& live);
[[nodiscard]] Json show_neighbours(const policy::Policy& policy, const kernel::Mirror& mirror,
                                   const std::vector<egress::Member>& members);
// One object a port and reason: who dropped (the steering program or the dataplane), how many, and the
// sentence. `all`: also reasons that never occurred.
[[nodiscard]] Json show_drops(const Statistics& statistics, bool all);
// Counters of each port and their sum, and whether every packet is accounted for.
[[nodiscard]] Json show_stats(const Statistics& statistics);
// Where the policy that runs comes from, and what a reload would change about it, or why it would be refused.
[[nodiscard]] Json show_config(const policy::Policy& policy, const Sources& sources, const Planned& planned);
// What is wrong first.
[[nodiscard]] Json show_state(const policy::Policy& policy, const Live& live,
                              const std::vector<Problem>& problems, std::uint64_t control_started_unix_ms,
                              std::uint64_t now_unix_ms);

}  // namespace sekisho::api
