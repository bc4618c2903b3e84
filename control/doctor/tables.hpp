// SPDX-License-Identifier: BSD-3-Clause
// How much memory the tables of a policy take in the dataplane.
#pragma once

#include <cstdint>

#include "control/policy/policy.hpp"

namespace sekisho::doctor {

[[nodiscard]] std::uint64_t table_bytes(const policy::Policy& policy);

}  // namespace sekisho::doctor
