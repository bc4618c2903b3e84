// SPDX-License-Identifier: BSD-3-Clause
// The prefixes themselves, sorted: what DIR-24-8's expanded entries have forgotten. Withdrawing a prefix asks
// here what it uncovers. The writer's alone.
//
// A sorted array is the smallest and the fastest to sweep, but one of 900,000 prefixes moves megabytes for
// each insertion. So there is an array for each /16 (some twenty prefixes each in an Internet table) and one
// for the few prefixes shorter than /16.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::fib {

// A prefix and its next hop in 54 bits, sorted like Prefix; next hop 0: no route.
class PackedRoute {
 public:
  constexpr PackedRoute() = default;
  constexpr PackedRoute(base::Prefix prefix, std::uint16_t value) noexcept
      : value_{(std::uint64_t{prefix.address} << 6 | prefix.length) << 16 | value} {}

  [[nodiscard]] constexpr std::uint64_t key() const noexcept { return value_ >> 16; }
  [[nodiscard]] constexpr std::uint32_t address() const noexcept {
    return static_cast<std::uint32_t>(value_ >> 22);
  }
  [[nodiscard]] constexpr std::uint8_t length() const noexcept { return value_ >> 16 & 0x3f; }
  [[nodiscard]] constexpr base::Prefix prefix() const noexcept {
    return {.address = address(), .length = length()};
  }
  [[nodiscard]] constexpr std::uint16_t value() const noexcept { return value_ & 0xffff; }

 private:
  std::uint64_t value_ = 0;
};

class Shadow {
 public:
  Shadow();

  // `changes` are sorted, each prefix once; next hop 0 withdraws. Returns what undoes them, in the same
  // order.
  auto apply(std::span<const PackedRoute> changes) -> std::vector<PackedRoute>;

  [[nodiscard]] std::optional<std::uint16_t> find(base::Prefix prefix) const noexcept;
  // The longest prefix covering `address` with a length of at least `shortest` and at most `longest`.
  [[nodiscard]] std::optional<PackedRoute> match(std::uint32_t address, int shortest,
                                                 int longest) const noexcept;
  // Is there a prefix longer than /24 in address / 256?
  [[nodiscard]] bool has_longer_than_24(std::uint32_t block) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept;

  // Calls visit(PackedRoute) for `range` itself and every prefix that it covers, sorted.
  template <typename Visit>
  void sweep(base::Prefix range, Visit visit) const;

 private:
  using Array = std::vector<PackedRoute>;
  static constexpr int split = 16;

  static Array::const_iterator at_or_after(const Array& array, base::Prefix prefix) noexcept;
  [[nodiscard]] const Array& array_of(base::Prefix prefix) const noexcept {
    return prefix.length < split ? short_ : long_[prefix.address >> split];
  }
  void merge(Array& array, std::span<const PackedRoute> changes, std::span<PackedRoute> undo);

  Array short_;              // prefixes shorter than /16
  std::vector<Array> long_;  // the others, by the upper 16 bits of their address
  std::size_t size_ = 0;
};

template <typename Visit>
void Shadow::sweep(base::Prefix range, Visit visit) const {
  const auto visit_while_covered = [&](Array::const_iterator at, Array::const_iterator end,
                                       std::uint32_t last) {
    for (; at != end && at->address() <= last; ++at) {
      visit(*at);
    }
    return at;
  };
  if (range.length >= split) {
    const Array& array = array_of(range);
    visit_while_covered(at_or_after(array, range), array.end(), range.last());
    return;
  }
  // A short prefix stands before everything in the /16 that it begins with.
  auto next_short = at_or_after(short_, range);
  for (std::uint32_t upper = range.address >> split; upper <= range.last() >> split; ++upper) {
    next_short = visit_while_covered(next_short, short_.end(), upper << split);
    visit_while_covered(long_[upper].begin(), long_[upper].end(), range.last());
  }
}

}  // namespace sekisho::fib
