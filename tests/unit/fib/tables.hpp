// SPDX-License-Identifier: BSD-3-Clause
// Routing tables to test with: one of realistic shape that is always there, and real ones where there are
// any.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::fib::testing {

// Sorted, without duplicates; lengths distributed as in an Internet table, half of the prefixes nested.
[[nodiscard]] std::vector<base::Prefix> generate_table(std::size_t size);

// A gzip file with a prefix at the start of each line; '#' comments.
[[nodiscard]] std::vector<base::Prefix> read_table(const std::filesystem::path& path);

// A file of the folder of real data: $SEKISHO_DATA, else ../shared/data beside the source tree.
[[nodiscard]] std::optional<std::filesystem::path> find_data(const std::filesystem::path& name);

}  // namespace sekisho::fib::testing
