// SPDX-License-Identifier: BSD-3-Clause
// Where a route or a setting was written, for findings.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "control/check/facts.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::check {

// "udr.txt:3", "udr.json: route to-firewall", "sekisho.toml:12".
[[nodiscard]] auto place(const Facts& facts, const Table& table, const route::Route& route) -> std::string;
// "udr.json", "udr.json with parameters.json".
[[nodiscard]] auto place(const AzureTable& table) -> std::string;
// A line of the configuration; 0: the file as a whole.
[[nodiscard]] auto place(const Facts& facts, unsigned line) -> std::string;
// Of a reader's complaint, without its reason: "udr.txt:3", "udr.json: $.routes[3]".
[[nodiscard]] auto place(const base::Error& error) -> std::string;

}  // namespace sekisho::check
