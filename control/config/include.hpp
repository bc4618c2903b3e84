// SPDX-License-Identifier: BSD-3-Clause
// Which files `include` names.
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::config {

// The same for all names that lead to a file without a symbolic link: absolute, and without "." and "..".
[[nodiscard]] auto place_of(const std::filesystem::path& file) -> std::filesystem::path;

// By name, byte by byte, whatever the locale. Relative to the folder of the configuration; what begins with "/" is beneath `root`. ".."
// is taken away by name, whatever is a symbolic link. A pattern of glob(7) may have no match; a plain name is a file that must be
// there. The error is half a sentence: also of a folder that cannot be searched, and of a name that is not UTF-8. Waits for the disk.
[[nodiscard]] auto find_included(const std::filesystem::path& configuration, const std::string& pattern,
                                 const std::filesystem::path& root)
    -> tl::expected<std::vector<std::filesystem::path>, std::string>;

// By all patterns; of one that cannot be looked at, none. Waits for the disk.
[[nodiscard]] auto included_now(const std::filesystem::path& configuration,
                                const std::vector<std::string>& patterns)
    -> std::vector<std::filesystem::path>;

}  // namespace sekisho::config
