// Any route file: recognised by its content, never by its name, and read whole or refused. gzip and bzip2 are read as what
// they hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <tl/expected.hpp>

#include "control/load/error.hpp"
#include "control/load/file.hpp"
#include "control/load/route_file.hpp"

namespace sekisho::load {

struct Options {
  // Of an MRT file with several peers: whose routes, by address; needed there, refused elsewhere.
  std::optional<std::uint32_t> peer;
  // Big files take seconds.
  Progress progress{};
};

[[nodiscard]] auto read_routes(const std::filesystem::path& file, const Options& options = {})
    -> tl::expected<RouteFile, Error>;

}  // namespace sekisho::load
