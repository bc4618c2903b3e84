// SPDX-License-Identifier: BSD-3-Clause
// Whether the dataplane has what it was told. Pure.
#pragma once

#include <optional>
#include <string>

#include "dataplane.pb.h"

namespace sekisho::sync {

// Its names against `told`: ports, next hops and what they do, zones, the exit. The first difference as a sentence: "next hop
// firewall is not in the dataplane". Routes are not compared one by one: whoever changes them commits a transaction, and
// those are counted.
[[nodiscard]] auto disagreement(const ipc::State& state, const ipc::Change& told)
    -> std::optional<std::string>;

}  // namespace sekisho::sync
