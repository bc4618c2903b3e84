// SPDX-License-Identifier: BSD-3-Clause
// Routes that no packet ever meets: the dataplane drops what is for certain blocks before it asks a table (packet/address.hpp).
#pragma once

#include <optional>

#include "common/base/prefix.hpp"

namespace sekisho::route {

// "0.0.0.0/8, ...", for sentences.
inline constexpr const char* martian_blocks_text =
    "0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 and 240.0.0.0/4";

// The block that all of the prefix lies in; nothing: a packet may match it.
[[nodiscard]] auto martian_block(base::Prefix prefix) noexcept -> std::optional<base::Prefix>;

}  // namespace sekisho::route
