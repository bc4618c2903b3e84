// SPDX-License-Identifier: BSD-3-Clause
// What became of a reload or of an override, for people.
#pragma once

#include "control/cli/context.hpp"

namespace sekisho::cli {

void print_applied(const Json& result);

}  // namespace sekisho::cli
