// SPDX-License-Identifier: BSD-3-Clause
// Routes that no packet ever meets: the dataplane drops what is for certain blocks before it asks a table (packet/address.hpp).
#pragma once

#include <optional>
#include <span>

#include "common/base/prefix.hpp"

namespace sekisho::route {

// All of them; some cover others.
[[nodiscard]] auto martian_blocks() noexcept -> std::span<const base::Prefix>;
// The block that all of the prefix lies in; nothing: a packet may match it.
[[nodiscard]] auto martian_block(base::Prefix prefix) noexcept -> std::optional<base::Prefix>;

}  // namespace sekisho::route
