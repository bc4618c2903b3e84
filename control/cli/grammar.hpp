// SPDX-License-Identifier: BSD-3-Clause
// All commands in one grammar, for whoever runs one, completes one or explains what may follow.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "control/cli/context.hpp"

namespace sekisho::cli {

void add_commands(CLI::App& app, Context& context);
[[nodiscard]] auto new_app() -> std::unique_ptr<CLI::App>;  // with a name and what it is, and no commands yet

}  // namespace sekisho::cli
