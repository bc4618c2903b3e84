// SPDX-License-Identifier: BSD-3-Clause
// The table of the kernel as nft lists it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/guard/guard.hpp"

namespace sekisho::guard {

// Says who made the table, to an operator who lists it and to ourselves: a table without it is somebody else's.
inline constexpr std::string_view marker = "made by sekisho-control; 'sekisho guard off' removes it";

struct Listing {
  bool ours = false;
  bool whole = false;  // its chains are hooked in and have exactly our rules
  Guard guard;
};

// Nothing when there is no table.
[[nodiscard]] auto list() -> tl::expected<std::optional<Listing>, std::string>;

}  // namespace sekisho::guard
