// SPDX-License-Identifier: BSD-3-Clause
// What the commands remember for the user who runs them, and for nobody else.
#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

namespace sekisho::cli {

// $XDG_STATE_HOME/sekisho, or ~/.local/state/sekisho; made where it is not there. The error is a sentence.
[[nodiscard]] auto user_state_folder() -> tl::expected<std::filesystem::path, std::string>;

}  // namespace sekisho::cli
