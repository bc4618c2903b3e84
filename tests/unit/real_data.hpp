// SPDX-License-Identifier: BSD-3-Clause
// Real files stand beside the source tree on some machines; there they are read, too.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace sekisho::test {

// A file of $SEKISHO_DATA, else of ../shared/data beside the source tree; nothing where there is none.
inline auto real_data(const std::filesystem::path& name) -> std::optional<std::filesystem::path> {
  const char* given = std::getenv("SEKISHO_DATA");
  const auto folder = given != nullptr ? std::filesystem::path{given}
                                       : std::filesystem::path{SEKISHO_FIXTURES} / "../../../shared/data";
  auto file = folder / name;
  return std::filesystem::exists(file) ? std::optional{file} : std::nullopt;
}

}  // namespace sekisho::test
