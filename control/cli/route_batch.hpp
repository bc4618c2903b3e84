// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>

#include "control/cli/context.hpp"

namespace sekisho::cli {

void add_route_batch(CLI::App& group, Context& context);  // of `route`

}  // namespace sekisho::cli
