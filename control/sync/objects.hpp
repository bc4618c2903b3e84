// SPDX-License-Identifier: BSD-3-Clause
// All that the dataplane has but routes (ports, adjacencies, next hops, zones and the exit), as a policy and a view say,
// and what separates two of those. Pure.
#pragma once

#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::sync {

[[nodiscard]] auto objects(const policy::Policy& policy, const View& view) -> ipc::Change;

// Names what `after` has and `before` has not, or not so; removes what only `before` has. Empty when they are equal.
[[nodiscard]] auto object_difference(const ipc::Change& before, const ipc::Change& after) -> ipc::Change;

}  // namespace sekisho::sync
