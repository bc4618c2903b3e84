// SPDX-License-Identifier: BSD-3-Clause
// What the kernel still has of its hugepages.
#pragma once

#include <cstddef>
#include <filesystem>

namespace sekisho {

// Of all sizes. Pages that are free and reserved are somebody's who has not touched them yet.
[[nodiscard]] std::size_t free_hugepage_bytes(
    const std::filesystem::path& sizes = "/sys/kernel/mm/hugepages");

}  // namespace sekisho
