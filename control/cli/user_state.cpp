// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/user_state.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <system_error>

namespace sekisho::cli {

auto user_state_folder() -> tl::expected<std::filesystem::path, std::string> {
  namespace fs = std::filesystem;
  const auto* const state = std::getenv("XDG_STATE_HOME");
  const auto* const home = std::getenv("HOME");
  fs::path folder;
  if (state != nullptr && *state == '/') {
    folder = state;
  } else if (home != nullptr && *home == '/') {
    folder = fs::path{home} / ".local/state";
  } else {
    return tl::unexpected{std::string{"neither XDG_STATE_HOME nor HOME names a folder to keep it in"}};
  }
  folder /= "sekisho";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return tl::unexpected{fmt::format("{} cannot be made: {}", folder.native(), error.message())};
  }
  return folder;
}

}  // namespace sekisho::cli
