// SPDX-License-Identifier: BSD-3-Clause
// What steering programs have counted, by name. They go on counting while no dataplane is there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/xdp/program.hpp"

namespace sekisho::xdp {

using NamedCounts = std::map<std::string, std::uint64_t>;

[[nodiscard]] Counts sum_of(Counts counts, const Counts& more);
// By the programs before this one.
[[nodiscard]] Counts carried_by(const sekisho_steer_state& state);
// Every verdict by its name.
[[nodiscard]] NamedCounts named(const Counts& counts);

// On an interface, whoever steers it; empty if nobody does, or this process may not read the program's maps (CAP_SYS_ADMIN).
[[nodiscard]] NamedCounts counters_of(int ifindex);

}  // namespace sekisho::xdp
