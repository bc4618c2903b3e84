// Azure's JSON: route tables as `az network route-table` flattens them and as REST and ARM nest them in "properties", lists of
// either (a bare array; {"value": [...]}), ARM template exports with inline and child routes; and effective routes. Next-hop
// types and property names are compared without regard to case; an unknown property is a finding, an unknown next-hop type an
// error.
#pragma once

#include <filesystem>
#include <string_view>
#include <tl/expected.hpp>

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"

namespace sekisho::load {

// Which of Azure's files JSON text is, is found by its members.
[[nodiscard]] auto parse_azure(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<RouteFile, Error>;

}  // namespace sekisho::load
