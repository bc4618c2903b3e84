// SPDX-License-Identifier: BSD-3-Clause
// A file's content as one string, bounded: what is read here comes from outside. A thread's reads can be watched: watch.hpp.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/error.hpp"

namespace sekisho::base {

// A full Internet table as text has about 15 MB.
inline constexpr std::size_t max_bytes = std::size_t{1} << 30;

// Told now and then, on the caller's thread, how far a load is: what is being done ("decompressing"), and which share of it is
// done, 0 to 1.
using Progress = std::function<void(std::string_view doing, double share)>;

inline void tell(const Progress& progress, std::string_view doing, std::size_t done, std::size_t all) {
  if (progress)
    progress(doing, all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all));
}

// A regular file: a FIFO, a device, a socket or a folder is refused by that name, and nobody is waited for. A file that is
// written meanwhile is read again, and refused where that does not end; one that is replaced by another (rename(2)) is whole.
[[nodiscard]] auto read_file(const std::filesystem::path& file, std::size_t limit = max_bytes,
                             const Progress& progress = {}) -> tl::expected<std::string, Error>;

}  // namespace sekisho::base
