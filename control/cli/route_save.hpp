// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>

#include "control/cli/context.hpp"

namespace sekisho::cli {

void add_route_list(CLI::App& group, Context& context);  // of `route`
void add_route_save(CLI::App& group, Context& context);

}  // namespace sekisho::cli
