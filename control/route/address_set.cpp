// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/address_set.hpp"

#include <algorithm>
#include <utility>

namespace sekisho::route {
namespace {

using Range = AddressSet::Range;

auto ranges_of(std::span<const base::Prefix> prefixes) -> std::vector<Range> {
  std::vector<Range> result;
  result.reserve(prefixes.size());
  for (const auto prefix : prefixes)
    result.push_back({prefix.address, prefix.last()});
  return result;
}

}  // namespace

AddressSet::AddressSet(std::vector<Range> ranges) : ranges_(std::move(ranges)) {
  std::ranges::sort(ranges_);
  std::size_t kept = 0;
  for (const auto range : ranges_) {
    if (kept != 0 && range.first <= std::uint64_t{ranges_[kept - 1].last} + 1)
      ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, range.last);
    else
      ranges_[kept++] = range;
  }
  ranges_.resize(kept);
}

AddressSet::AddressSet(std::span<const base::Prefix> prefixes) : AddressSet(ranges_of(prefixes)) {}

std::uint64_t AddressSet::size() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& range : ranges_)
    sum += std::uint64_t{range.last} - range.first + 1;
  return sum;
}

bool AddressSet::contains(std::uint32_t address) const noexcept {
  const auto behind = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
  return behind != ranges_.begin() && address <= behind[-1].last;
}

auto AddressSet::with(const AddressSet& other) const -> AddressSet {
  auto all = ranges_;
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  return AddressSet{std::move(all)};
}

auto AddressSet::without(const AddressSet& other) const -> AddressSet {
  AddressSet result;
  auto taken = other.ranges_.begin();
  for (const auto& range : ranges_) {
    std::uint64_t first = range.first;
    while (taken != other.ranges_.end() && taken->last < first)
      ++taken;
    for (auto next = taken; next != other.ranges_.end() && next->first <= range.last; ++next) {
      if (next->first > first)
        result.ranges_.push_back({static_cast<std::uint32_t>(first), next->first - 1});
      first = std::uint64_t{next->last} + 1;
    }
    if (first <= range.last)
      result.ranges_.push_back({static_cast<std::uint32_t>(first), range.last});
  }
  return result;
}

auto AddressSet::common_with(const AddressSet& other) const -> AddressSet {
  AddressSet result;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const Range both{std::max(a->first, b->first), std::min(a->last, b->last)};
    if (both.first <= both.last)
      result.ranges_.push_back(both);
    ++(a->last < b->last ? a : b);
  }
  return result;
}

}  // namespace sekisho::route
