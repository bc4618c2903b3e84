#include "control/route/martians.hpp"

#include <algorithm>
#include <array>

#include "dataplane/packet/address.hpp"

namespace sekisho::route {
namespace {

constexpr std::array blocks{fib::Prefix{0, 8},
                            fib::Prefix{127U << 24, 8},
                            fib::Prefix{0xa9fe'0000, 16},
                            fib::Prefix{0xe000'0000, 4},
                            fib::Prefix{0xf000'0000, 4},
                            fib::Prefix{0xe000'0000, 3}};  // both of the last
static_assert(std::ranges::all_of(blocks, [](fib::Prefix block) { return packet::special(block.address); }));

}  // namespace

auto martian_block(fib::Prefix prefix) noexcept -> std::optional<fib::Prefix> {
  if (!packet::special(prefix.address))
    return std::nullopt;
  const auto found = std::ranges::find_if(blocks, [&](fib::Prefix block) { return block.covers(prefix); });
  return found == blocks.end() ? std::nullopt : std::optional{*found};
}

}  // namespace sekisho::route
