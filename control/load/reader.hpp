// Any route file: recognised by its content, never by its name, and read whole or refused. gzip and bzip2 are read as what
// they hold.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/load/error.hpp"
#include "control/load/route_file.hpp"

namespace sekisho::load {

struct Options {
  // Of an MRT file with several peers: whose routes, by address; needed there, refused elsewhere.
  std::optional<std::uint32_t> peer;
};

[[nodiscard]] auto read_routes(const std::filesystem::path& file, const Options& options = {})
    -> tl::expected<RouteFile, Error>;

}  // namespace sekisho::load
