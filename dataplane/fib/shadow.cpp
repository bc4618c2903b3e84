// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/shadow.hpp"

#include <algorithm>

namespace sekisho::fib {
namespace {

constexpr bool by_key(const PackedRoute& left, const PackedRoute& right) noexcept {
  return left.key() < right.key();
}

}  // namespace

Shadow::Shadow() : long_(std::size_t{1} << 16) {}

auto Shadow::at_or_after(const Array& array, base::Prefix prefix) noexcept -> Array::const_iterator {
  return std::lower_bound(array.begin(), array.end(), PackedRoute{prefix, 0}, by_key);
}

auto Shadow::apply(std::span<const PackedRoute> changes) -> std::vector<PackedRoute> {
  std::vector<PackedRoute> undo(changes.size());
  Array short_changes;
  std::vector<std::size_t> short_positions;
  for (std::size_t i = 0; i < changes.size();) {
    if (changes[i].length() < split) {
      short_changes.push_back(changes[i]);
      short_positions.push_back(i);
      ++i;
      continue;
    }
    const std::uint32_t upper = changes[i].address() >> split;
    std::size_t end = i + 1;
    while (end < changes.size() && changes[end].length() >= split &&
           changes[end].address() >> split == upper) {
      ++end;
    }
    merge(long_[upper], changes.subspan(i, end - i), std::span{undo}.subspan(i, end - i));
    i = end;
  }
  if (!short_changes.empty()) {
    std::vector<PackedRoute> short_undo(short_changes.size());
    merge(short_, short_changes, short_undo);
    for (std::size_t i = 0; i < short_undo.size(); ++i) {
      undo[short_positions[i]] = short_undo[i];
    }
  }
  return undo;
}

void Shadow::merge(Array& array, std::span<const PackedRoute> changes, std::span<PackedRoute> undo) {
  const std::size_t size_before = array.size();
  if (changes.size() == 1) {
    const PackedRoute change = changes.front();
    const auto at = std::lower_bound(array.begin(), array.end(), change, by_key);
    const bool found = at != array.end() && at->key() == change.key();
    undo.front() = found ? *at : PackedRoute{change.prefix(), 0};
    if (found && change.value() != 0) {
      *at = change;
    } else if (found) {
      array.erase(at);
    } else if (change.value() != 0) {
      array.insert(at, change);
    }
  } else {
    Array merged;
    merged.reserve(array.size() + changes.size());
    auto old = array.begin();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const PackedRoute change = changes[i];
      while (old != array.end() && old->key() < change.key()) {
        merged.push_back(*old++);
      }
      const bool found = old != array.end() && old->key() == change.key();
      undo[i] = found ? *old++ : PackedRoute{change.prefix(), 0};
      if (change.value() != 0) {
        merged.push_back(change);
      }
    }
    merged.insert(merged.end(), old, array.end());
    array = std::move(merged);
  }
  if (array.capacity() > 2 * array.size()) {
    array.shrink_to_fit();
  }
  size_ += array.size() - size_before;
}

std::optional<std::uint16_t> Shadow::find(base::Prefix prefix) const noexcept {
  const Array& array = array_of(prefix);
  const auto at = at_or_after(array, prefix);
  if (at == array.end() || at->prefix() != prefix) {
    return std::nullopt;
  }
  return at->value();
}

std::optional<PackedRoute> Shadow::match(std::uint32_t address, int shortest, int longest) const noexcept {
  for (int length = longest; length >= shortest; --length) {
    base::Prefix prefix{.address = address, .length = static_cast<std::uint8_t>(length)};
    prefix.address &= prefix.mask();
    if (const auto value = find(prefix)) {
      return PackedRoute{prefix, *value};
    }
  }
  return std::nullopt;
}

bool Shadow::has_longer_than_24(std::uint32_t block) const noexcept {
  const base::Prefix prefix{.address = block << 8, .length = 24};
  const Array& array = long_[block >> 8];
  auto at = at_or_after(array, prefix);
  if (at != array.end() && at->prefix() == prefix) {
    ++at;
  }
  return at != array.end() && prefix.covers(at->address());
}

std::size_t Shadow::bytes() const noexcept {
  std::size_t bytes =
      sizeof(*this) + long_.capacity() * sizeof(Array) + short_.capacity() * sizeof(PackedRoute);
  for (const Array& array : long_) {
    bytes += array.capacity() * sizeof(PackedRoute);
  }
  return bytes;
}

}  // namespace sekisho::fib
