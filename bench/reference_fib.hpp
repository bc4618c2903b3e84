// SPDX-License-Identifier: BSD-3-Clause
// DPDK's rte_fib (DIR-24-8) as the table to compare with.
#pragma once

#include <rte_fib.h>

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "bench/tables.hpp"

namespace sekisho::bench {

struct FreeRteFib {
  void operator()(rte_fib* table) const noexcept { rte_fib_free(table); }
};
using RteFib = std::unique_ptr<rte_fib, FreeRteFib>;

// Empty, with room for all of `table` in entries of 1, 2 or 4 bytes, or the reason why there is none.
[[nodiscard]] auto create_rte_fib(const Table& table, unsigned entry_bytes)
    -> tl::expected<RteFib, std::string>;
[[nodiscard]] auto insert(rte_fib& table, std::span<const fib::Route> routes)
    -> tl::expected<void, std::string>;

}  // namespace sekisho::bench
