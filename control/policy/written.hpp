// SPDX-License-Identifier: BSD-3-Clause
// Where a route of a policy was written, for people.
#pragma once

#include <filesystem>
#include <string>

#include "control/policy/policy.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

// "udr.txt:3", "udr.json: route to-firewall", "sekisho.toml:12"; of what nobody wrote what it is: "private space".
[[nodiscard]] auto written_at(const Policy& policy, const route::Route& route) -> std::string;
// Of a route that a file has, by what the file calls it: "udr.json: route to-firewall".
[[nodiscard]] auto name_of_source(const std::filesystem::path& file, const std::string& label) -> std::string;

}  // namespace sekisho::policy
