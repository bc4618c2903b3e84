// SPDX-License-Identifier: BSD-3-Clause
// The answers of `show`, as pure functions from what the daemon knows to JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "control/advertise/status.hpp"
#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/reach/exit.hpp"
#include "control/reach/members.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"
#include "control/serve/live.hpp"
#include "control/serve/problems.hpp"
#include "dataplane.pb.h"

namespace sekisho::serve {

[[nodiscard]] Json show_ports(const policy::Policy& policy, const netlink::Mirror& mirror, const Live& live);
[[nodiscard]] Json show_zones(const policy::Policy& policy, const Live& live);
[[nodiscard]] Json show_next_hops(const policy::Policy& policy, const sync::View& view, const Live& live);
[[nodiscard]] Json show_neighbours(const policy::Policy& policy, const netlink::Mirror& mirror,
                                   const std::vector<reach::Member>& members);
// One object a port and reason: who dropped (the steering program or the dataplane), how many, and the
// sentence. `all`: also reasons that never occurred.
[[nodiscard]] Json show_drops(const ipc::Statistics& statistics, bool all);
// The newest packets that the dataplane dropped, the newest first, in words and with their first bytes.
[[nodiscard]] Json show_last_drops(const ipc::LastDrops& said);
// Counters of each port and their sum, and whether every packet is accounted for.
[[nodiscard]] Json show_stats(const ipc::Statistics& statistics);
// Where the policy that runs comes from, and what a reload would change about it, or why it would be refused.
[[nodiscard]] Json show_config(const policy::Policy& policy, const Sources& sources, const Planned& planned);
// What `sekisho route` has changed in what runs, and the configuration that a reload would read.
[[nodiscard]] Json show_overrides(const policy::Policy& policy, const std::filesystem::path& configuration);
// Sessions, and what is advertised or why it is not. Null: no peers are configured.
[[nodiscard]] Json show_bgp(const advertise::Status* status);
// The verdict and what is wrong first.
struct Times {
  std::optional<std::uint64_t> draining_since_unix_ms;  // none: it is not
  std::uint64_t control_started_unix_ms = 0;
  std::uint64_t now_unix_ms = 0;
};
[[nodiscard]] Json show_state(const policy::Policy& policy, const Live& live,
                              const std::vector<Problem>& problems, const Times& times);

}  // namespace sekisho::serve
