// SPDX-License-Identifier: BSD-3-Clause
// Any route file: recognised by its content, never by its name, and read whole or refused. gzip and bzip2 are read as what
// they hold. A file without routes is refused unless it is said to be meant.
#pragma once

#include <filesystem>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/options.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

// One route table: of a file with several the one that `options` name. An error lists them.
[[nodiscard]] auto read_routes(const std::filesystem::path& file, const Options& options = {})
    -> tl::expected<RouteFile, base::Error>;
// All of a file's route tables, or the one that `options` name.
[[nodiscard]] auto read_tables(const std::filesystem::path& file, const Options& options = {})
    -> tl::expected<std::vector<RouteFile>, base::Error>;

}  // namespace sekisho::formats
