// SPDX-License-Identifier: BSD-3-Clause
// Sequences of route changes to a table: drawn at random, and as BGP routers really sent them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "bench/tables.hpp"

namespace sekisho::bench {

struct Changes {
  std::vector<fib::Route> changes;      // no_route withdraws
  std::vector<std::size_t> batches;     // where each transaction ends; the last is changes.size()
  std::vector<fib::Route> restoration;  // leads from there back to the table
};

// Half of them withdraw or announce a prefix of the table, half change its next hop.
[[nodiscard]] auto random_changes(const Table& table, std::size_t count, std::size_t batch) -> Changes;

// A file of `time TAB A|W TAB prefix TAB next hop TAB peer`. What came in the same second is one transaction.
[[nodiscard]] auto read_trace(const std::filesystem::path& file, const Table& table)
    -> tl::expected<Changes, std::string>;

}  // namespace sekisho::bench
