// SPDX-License-Identifier: BSD-3-Clause
// Whose a frr.conf is. Pure.
#pragma once

#include <string_view>

namespace sekisho::advertise {

// Whether it has something to say that is not ours: no marker, and lines beyond those that a package's own file has.
[[nodiscard]] bool is_foreign(std::string_view frr_conf);

}  // namespace sekisho::advertise
