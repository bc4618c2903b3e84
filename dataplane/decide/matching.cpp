// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/decide/matching.hpp"

#include <algorithm>
#include <utility>

namespace sekisho::decide {

Matching::Matching(std::vector<std::uint32_t> scores, unsigned members, unsigned buckets)
    : members_{members},
      rows_{scores.size() / members},
      scores_{std::move(scores)},
      liked_(scores_.size()),
      asked_(buckets) {
  std::array<std::uint64_t, max_members> keys;
  for (std::size_t first = 0; first < scores_.size(); first += members) {
    for (unsigned member = 0; member < members; ++member) {
      keys[member] = std::uint64_t{~scores_[first + member]} << 32 | member;
    }
    std::sort(keys.begin(), keys.begin() + members);
    for (unsigned i = 0; i < members; ++i) {
      liked_[first + i] = static_cast<std::uint8_t>(keys[i]);
    }
  }
}

void Matching::match(std::span<const std::uint32_t> buckets, const std::vector<MemberMask>& taken,
                     const Quotas& quotas) {
  for (auto& held : held_) {
    held.clear();
  }
  for (const auto bucket : buckets) {
    asked_[bucket] = 0;
  }
  std::vector<std::uint32_t> left;
  for (const auto bucket : buckets) {
    if (const auto without = ask(bucket, taken, quotas)) {
      left.push_back(*without);
    }
  }
  std::ranges::sort(left);
  for (const auto bucket : left) {
    squeeze_in(bucket, taken, quotas);
  }
}

auto Matching::ask(std::uint32_t bucket, const std::vector<MemberMask>& taken, const Quotas& quotas)
    -> std::optional<std::uint32_t> {
  while (asked_[bucket] < members_) {
    const std::size_t first = row_of(bucket);
    const unsigned member = liked_[first + asked_[bucket]++];
    if ((taken[bucket] >> member & 1) != 0 || quotas[member] == 0) {
      continue;
    }
    auto& held = held_[member];
    const Held own{scores_[first + member], bucket};
    if (held.size() < quotas[member]) {
      held.push_back(own);
      std::push_heap(held.begin(), held.end());
      return std::nullopt;
    }
    if (own < held.front()) {
      std::pop_heap(held.begin(), held.end());
      bucket = std::exchange(held.back(), own).bucket;
      std::push_heap(held.begin(), held.end());
    }
  }
  return bucket;
}

// Whoever has room is not to have this bucket, or it would have it. So another bucket makes room for it.
void Matching::squeeze_in(std::uint32_t bucket, const std::vector<MemberMask>& taken, const Quotas& quotas) {
  for (unsigned member = 0; member < members_; ++member) {
    if (held_[member].size() < quotas[member] && swap_in(bucket, member, taken)) {
      return;
    }
  }
  const auto* const liked = &liked_[row_of(bucket)];
  const auto member =
      *std::find_if(liked, liked + members_, [&](unsigned one) { return (taken[bucket] >> one & 1) == 0; });
  held_[member].push_back({0, bucket});
}

bool Matching::swap_in(std::uint32_t bucket, unsigned with_room, const std::vector<MemberMask>& taken) {
  Held* best = nullptr;
  unsigned from = 0;
  for (unsigned member = 0; member < members_; ++member) {
    if ((taken[bucket] >> member & 1) != 0) {
      continue;
    }
    for (auto& held : held_[member]) {
      const bool may_go = (taken[held.bucket] >> with_room & 1) == 0;
      if (may_go && (best == nullptr || held.bucket < best->bucket)) {
        best = &held;
        from = member;
      }
    }
  }
  if (best == nullptr || from == with_room) {
    return false;
  }
  held_[with_room].push_back({0, best->bucket});
  best->bucket = bucket;
  return true;
}

}  // namespace sekisho::decide
