// SPDX-License-Identifier: BSD-3-Clause
// The prefixes of a sorted table that cover the address where a sweep over all addresses stands. Pure.
//
// Sorted prefixes are a walk of their tree in pre-order, so that those which cover an address are a stack: the innermost, which
// is the longest match, is the last. A sweep enters each prefix at its first address and leaves it behind its last; between two
// such places every address has the same longest match: `advance` visits the ranges between them. Nothing is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/prefix.hpp"

namespace sekisho::route {

inline constexpr std::uint64_t all_addresses = std::uint64_t{1} << 32;

// `Value`: what a prefix stands for.
template <class Value>
class Nest {
 public:
  // `outside`: what no prefix covers stands for.
  explicit Nest(Value outside) : outside_(outside) {}

  // Of the same prefix the one that was entered last counts.
  void enter(base::Prefix prefix, Value value) {
    leave_before(prefix.address);
    if (depth_ != 0 && levels_[depth_ - 1].end == std::uint64_t{prefix.last()} + 1 &&
        levels_[depth_ - 1].length == prefix.length)
      --depth_;
    levels_[depth_++] = {std::uint64_t{prefix.last()} + 1, prefix.length, value};
  }
  void leave_before(std::uint64_t address) {
    while (depth_ != 0 && levels_[depth_ - 1].end <= address)
      --depth_;
  }
  // Gives `visit` (first, last, value) from `position` to before `to`, without gaps; both ends are in it. `position` is `to` then.
  template <class Visit>
  void advance(std::uint64_t& position, std::uint64_t to, Visit visit) {
    while (position < to) {
      const auto next = std::min(to, end());
      visit(static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(next - 1), value());
      position = next;
      leave_before(position);
    }
  }
  [[nodiscard]] const Value& value() const { return depth_ == 0 ? outside_ : levels_[depth_ - 1].value; }
  // Behind the last address that has the current one, unless a prefix begins before.
  [[nodiscard]] std::uint64_t end() const { return depth_ == 0 ? all_addresses : levels_[depth_ - 1].end; }

 private:
  struct Level {
    std::uint64_t end = 0;
    std::uint8_t length = 0;
    Value value{};
  };
  Value outside_;
  std::array<Level, 33> levels_{};  // a prefix of each length
  std::size_t depth_ = 0;
};

}  // namespace sekisho::route
