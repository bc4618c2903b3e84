// SPDX-License-Identifier: BSD-3-Clause
// How route files are read: what their content does not tell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

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
  // Read as this one; nullopt: as what its content is recognised for.
  std::optional<Format> format = {};
  // Of a file with several route tables: which, by its name or place; "": the only one.
  std::string table = {};
  // Of an ARM template: the file with what its deployment passes; empty: its defaults are taken. Refused elsewhere.
  std::filesystem::path parameters = {};
  Empty empty = Empty::refused;
  // A route that cannot be known is an error, not left out with a finding of Severity::error.
  bool refuse_left_out = false;
  // Big files take seconds.
  base::Progress progress{};
};

[[nodiscard]] constexpr Empty empty_if(bool allowed) noexcept {
  return allowed ? Empty::allowed : Empty::refused;
}

}  // namespace sekisho::formats
