// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/martians.hpp"

#include <algorithm>
#include <array>

#include "common/base/special_address.hpp"

namespace sekisho::route {
namespace {

constexpr std::array blocks{base::Prefix{0, 8},
                            base::Prefix{127U << 24, 8},
                            base::Prefix{0xa9fe'0000, 16},
                            base::Prefix{0xe000'0000, 4},
                            base::Prefix{0xf000'0000, 4},
                            base::Prefix{0xe000'0000, 3}};  // both of the last
static_assert(std::ranges::all_of(blocks, [](base::Prefix block) { return base::special(block.address); }));

}  // namespace

auto martian_blocks() noexcept -> std::span<const base::Prefix> {
  return blocks;
}

auto martian_block(base::Prefix prefix) noexcept -> std::optional<base::Prefix> {
  if (!base::special(prefix.address))
    return std::nullopt;
  const auto found = std::ranges::find_if(blocks, [&](base::Prefix block) { return block.covers(prefix); });
  return found == blocks.end() ? std::nullopt : std::optional{*found};
}

}  // namespace sekisho::route
