// From policy and the kernel's state to what the dataplane is told. Pure.
#pragma once

#include <vector>

#include "control/egress/members.hpp"
#include "control/kernel/netlink.hpp"
#include "control/policy/policy.hpp"
#include "dataplane.pb.h"

namespace sekisho::sync {

// The full transaction, in pieces that fit a frame: what exists afterwards is exactly this.
[[nodiscard]] auto full(const policy::Policy& policy, const kernel::Mirror& mirror,
                        const std::vector<egress::Member>& members) -> std::vector<api::Change>;

// What changes between two states of the members and local addresses while the policy stays: link and neighbour events. Empty
// when nothing does.
[[nodiscard]] auto incremental(const policy::Policy& policy, const kernel::Mirror& mirror,
                               const std::vector<egress::Member>& before, const std::vector<egress::Member>& after)
    -> std::vector<api::Change>;

}  // namespace sekisho::sync
