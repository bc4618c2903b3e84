// SPDX-License-Identifier: BSD-3-Clause
// Destinations to look up, the same for every engine and every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/tables.hpp"

namespace sekisho::bench {

// random   uniform over the unicast addresses of the public Internet
// routed   a prefix of the table chosen uniformly, an address in it uniformly
// zipf     the same with prefixes chosen by Zipf's law: the k-th of a random order with probability ~ 1/k
inline constexpr std::string_view traffic_names[] = {"random", "routed", "zipf"};

// 4 MiB of addresses in host byte order: more than a second-level cache learns by heart.
inline constexpr std::size_t traffic_size = std::size_t{1} << 20;

[[nodiscard]] auto make_traffic(std::string_view name, const Table& table) -> std::vector<std::uint32_t>;

}  // namespace sekisho::bench
