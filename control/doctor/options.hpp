// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane is to be started with, as far as that decides what it needs of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sekisho::doctor {

struct DataplaneOptions {
  std::optional<std::vector<unsigned>> workers;  // none: the last CPU
  std::uint64_t memory_mb = 256;
};

// Of SEKISHO_DATAPLANE_OPTIONS in the text of dataplane.env; the dataplane's own defaults where it says nothing.
[[nodiscard]] DataplaneOptions parse_options(std::string_view environment);

}  // namespace sekisho::doctor
