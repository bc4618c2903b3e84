// SPDX-License-Identifier: BSD-3-Clause
// A set of addresses as the ranges that it consists of. Exact; time and memory are linear in the ranges. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::route {

class AddressSet {
 public:
  struct Range {  // both ends are in it
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    friend auto operator<=>(const Range&, const Range&) = default;
  };

  AddressSet() = default;
  // In any order; they may overlap.
  explicit AddressSet(std::vector<Range> ranges);
  explicit AddressSet(std::span<const base::Prefix> prefixes);

  [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }
  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] std::uint64_t size() const noexcept;
  [[nodiscard]] bool contains(std::uint32_t address) const noexcept;

  [[nodiscard]] auto with(const AddressSet& other) const -> AddressSet;
  [[nodiscard]] auto without(const AddressSet& other) const -> AddressSet;
  [[nodiscard]] auto common_with(const AddressSet& other) const -> AddressSet;

  friend bool operator==(const AddressSet&, const AddressSet&) = default;

 private:
  std::vector<Range> ranges_;  // sorted; between two of them there is an address
};

}  // namespace sekisho::route
