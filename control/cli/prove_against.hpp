// SPDX-License-Identifier: BSD-3-Clause
// `sekisho prove --against`: which packets go elsewhere by one configuration than by another.
#pragma once

#include <string>

#include "control/cli/context.hpp"

namespace sekisho::cli {

// `config`: empty for what runs. Both are read whole before anything is printed.
[[nodiscard]] Outcome prove_against(Context& context, const std::string& config, const std::string& against,
                                    bool exit_code);

}  // namespace sekisho::cli
