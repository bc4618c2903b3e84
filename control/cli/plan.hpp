// SPDX-License-Identifier: BSD-3-Clause
// What a reload would change by name and in numbers, for people.
#pragma once

#include <string>

#include "control/cli/context.hpp"

namespace sekisho::cli {

// Lines of two spaces, and a sentence where nothing would change.
[[nodiscard]] std::string plan_text(const Json& plan);

}  // namespace sekisho::cli
