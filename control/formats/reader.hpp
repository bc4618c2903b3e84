// SPDX-License-Identifier: BSD-3-Clause
// Any route file: recognised by its content, never by its name, and read whole or refused. gzip and bzip2 are read as what
// they hold. A file without routes is refused unless it is said to be meant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "common/base/file.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

// What becomes of a file without routes. A command that failed leaves one behind, and what reads it would remove routes.
enum class Empty : std::uint8_t {
  refused,
  table,  // refused, unless it is one of Azure's route tables, which may have none
  allowed,
};

struct Options {
  // Of an MRT file with several peers: whose routes, by address; needed there, refused elsewhere.
  std::optional<std::uint32_t> peer;
  Empty empty = Empty::refused;
  // Big files take seconds.
  base::Progress progress{};
};

[[nodiscard]] constexpr Empty empty_if(bool allowed) noexcept {
  return allowed ? Empty::allowed : Empty::refused;
}

[[nodiscard]] auto read_routes(const std::filesystem::path& file, const Options& options = {})
    -> tl::expected<RouteFile, base::Error>;

}  // namespace sekisho::formats
