// SPDX-License-Identifier: BSD-3-Clause
// Text as other programs leave it: with a byte order mark, and in UTF-16, as Windows PowerShell's ">" writes it.
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "common/base/error.hpp"

namespace sekisho::base {

// Takes the mark away, and makes UTF-8 of UTF-16. Bytes without a mark stay as they are, but for UTF-16 without one and
// UTF-32, which are refused by their names.
[[nodiscard]] auto to_utf8(std::string bytes, const std::filesystem::path& file)
    -> tl::expected<std::string, Error>;

}  // namespace sekisho::base
