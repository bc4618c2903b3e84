// SPDX-License-Identifier: BSD-3-Clause
// The answers of `show` as tables for people.
#pragma once

#include <cstdint>
#include <string>

#include "control/cli/context.hpp"
#include "control/cli/table.hpp"

namespace sekisho::cli {

[[nodiscard]] std::string ports_text(const Json& ports);
[[nodiscard]] std::string zones_text(const Json& zones);
[[nodiscard]] std::string next_hops_text(const Json& next_hops);
// A line for each: name, state, what matters most.
[[nodiscard]] std::string ports_brief(const Json& ports);
[[nodiscard]] std::string zones_brief(const Json& zones);
[[nodiscard]] std::string next_hops_brief(const Json& next_hops);  // show_brief.cpp
[[nodiscard]] std::string neighbours_text(const Json& neighbours);
[[nodiscard]] std::string drops_text(const Json& drops);
[[nodiscard]] std::string last_drops_text(const Json& packets);
[[nodiscard]] std::string stats_text(const Json& stats);
[[nodiscard]] std::string config_text(const Json& config);
[[nodiscard]] std::string state_text(const Json& state);
[[nodiscard]] std::string bgp_text(const Json& bgp);  // bgp_tables.cpp

// "running", "down", or "no answer": the dataplane hangs, and may well run it.
[[nodiscard]] Cell running_cell(const Json& port);
// Whether an exit leaves, and why not. What the kernel has ready forwards nothing while nobody knows of the dataplane.
[[nodiscard]] Cell exit_cell(const Json& next_hop);
// "04:50:15", "3 d 04:50:15"
[[nodiscard]] std::string duration(std::uint64_t seconds);
// "2026-11-29 04:50:15", in this machine's time; nothing of null.
[[nodiscard]] std::string date(const Json& unix_ms);
// "a, b"; "-" of an empty list.
[[nodiscard]] std::string list_text(const Json& list);
// A string as it is, a number in digits, true and false as yes and no, null as nothing (a table shows "-").
[[nodiscard]] std::string value_text(const Json& value);
// The value of a key that may be missing.
[[nodiscard]] std::string value_text(const Json& object, const char* key);
// "routes.txt:12", with what wrote it when that is no file of routes: "sekisho.toml:30 (preset kms public)".
[[nodiscard]] std::string place_text(const Json& route);
// A route's next hop, and the type of Azure's that was written: "vnet (VnetLocal)".
[[nodiscard]] std::string next_hop_text(const Json& route);

}  // namespace sekisho::cli
