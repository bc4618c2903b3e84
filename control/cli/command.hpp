// SPDX-License-Identifier: BSD-3-Clause
// What all commands of the CLI share. Each group of commands is a file that adds itself to the grammar;
// parsing chooses one, and main runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/context.hpp"

namespace sekisho::cli {

void add_check(CLI::App& app, Context& context);
void add_reload(CLI::App& app, Context& context);
void add_route(CLI::App& app, Context& context);
void add_next_hop(CLI::App& app, Context& context);
void add_show(CLI::App& app, Context& context);
void add_show_drops(CLI::App& group, Context& context);    // of `show`
void add_show_learned(CLI::App& group, Context& context);  // of `show`
void add_route_files(CLI::App& app, Context& context);
void add_lookup(CLI::App& app, Context& context);
void add_explain(CLI::App& app, Context& context);
void add_presets(CLI::App& app, Context& context);
void add_formats(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_effective_routes(CLI::App& app, Context& context);
void add_diff(CLI::App& app, Context& context);
void add_top(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_guard(CLI::App& app, Context& context);
void add_monitor(CLI::App& app, Context& context);
void add_capture(CLI::App& app, Context& context);
void add_trace(CLI::App& app, Context& context);
void add_bgp(CLI::App& app, Context& context);
void add_prove(CLI::App& app, Context& context);
void add_history(CLI::App& app, Context& context);
void add_drain(CLI::App& app, Context& context);
void add_map(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_shell(CLI::App& app, Context& context);
void add_color_option(CLI::App& app);
void add_version(CLI::App& app, Context& context);

// An option's or argument's value must be an IPv4 address; anything else is wrong usage.
[[nodiscard]] CLI::Validator is_address();
[[nodiscard]] CLI::Validator is_address_or_dash();
[[nodiscard]] CLI::Validator is_prefix();
[[nodiscard]] CLI::Validator is_address_or_prefix();
// Why the dataplane drops a packet.
[[nodiscard]] CLI::Validator is_drop_reason();
// "90s", "5m", "1h"; without a unit seconds.
[[nodiscard]] CLI::Validator in_seconds();
// Prefixes with commas between, or nothing at all.
[[nodiscard]] CLI::Validator is_prefix_list();
[[nodiscard]] auto words_of(std::string_view list) -> std::vector<std::string>;
// Of a list that was checked.
[[nodiscard]] auto prefixes_of(std::string_view list) -> std::vector<base::Prefix>;

}  // namespace sekisho::cli
