// SPDX-License-Identifier: BSD-3-Clause
// One reload or a dry run of it, for the commands that ask for one.
#pragma once

#include "control/cli/context.hpp"

namespace sekisho::cli {

// `request`: members of the reload besides "command". Exit status 1 when a port does not run afterwards, or nothing was applied.
[[nodiscard]] Outcome reload(Context& context, Json request);
// Prints what the reload would change. Exit status 1 when it would be refused.
[[nodiscard]] Outcome dry_run(Context& context, Json request);

}  // namespace sekisho::cli
