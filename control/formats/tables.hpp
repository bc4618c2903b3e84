// SPDX-License-Identifier: BSD-3-Clause
// A file may hold several route tables, and a packet is looked up in one: they never become one by being in one file.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

// As an operator says it: by its name or place; "" for the only one. An error lists those that are there.
[[nodiscard]] auto choose_table(RouteFile file, std::string_view table)
    -> tl::expected<RouteFile, base::Error>;

// Each alone, in the file's order; a file with one table or none is itself.
[[nodiscard]] auto each_table(RouteFile file) -> std::vector<RouteFile>;

// Routes that a user wrote to a prefix that their table has a route to already: a cloud takes no such table.
[[nodiscard]] auto repeated_routes(const RouteFile& file) -> std::vector<base::Finding>;

}  // namespace sekisho::formats
