// SPDX-License-Identifier: BSD-3-Clause
// Deals buckets to members that have room for so many each: the stable matching (Gale & Shapley 1962), in which no bucket and
// no member would both rather have each other. It is unique, since both go by the same scores: independent of any order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/decide/member.hpp"

namespace sekisho::decide {

class Matching {
 public:
  // By bucket and member, `members` of them a bucket; a power of two of buckets, which the ones behind them repeat.
  Matching(std::vector<std::uint32_t> scores, unsigned members, unsigned buckets);

  using Quotas = std::array<unsigned, max_members>;  // as many in all as there are buckets to deal

  // Calls give(bucket, member) once for each of `buckets`, never with one of the members that `taken` (by bucket) has. Where the
  // quotas cannot be kept they are exceeded: that is rare, and by one.
  template <typename Give>
  void deal(std::span<const std::uint32_t> buckets, const std::vector<MemberMask>& taken,
            const Quotas& quotas, Give give) {
    match(buckets, taken, quotas);
    for (unsigned member = 0; member < members_; ++member) {
      for (const auto& held : held_[member]) {
        give(held.bucket, member);
      }
    }
  }

 private:
  struct Held {
    std::uint32_t score;
    std::uint32_t bucket;
    // For heaps with the least liked one on top.
    friend bool operator<(const Held& a, const Held& b) {
      return a.score != b.score ? a.score > b.score : a.bucket < b.bucket;
    }
  };

  void match(std::span<const std::uint32_t> buckets, const std::vector<MemberMask>& taken,
             const Quotas& quotas);
  // Returns the bucket that has no member afterwards, this one or one that was pushed out; most times none.
  [[nodiscard]] auto ask(std::uint32_t bucket, const std::vector<MemberMask>& taken, const Quotas& quotas)
      -> std::optional<std::uint32_t>;
  void squeeze_in(std::uint32_t bucket, const std::vector<MemberMask>& taken, const Quotas& quotas);
  [[nodiscard]] bool swap_in(std::uint32_t bucket, unsigned with_room, const std::vector<MemberMask>& taken);

  // Where the bucket's scores begin.
  [[nodiscard]] std::size_t row_of(std::uint32_t bucket) const noexcept { return bucket % rows_ * members_; }

  std::size_t members_;
  std::size_t rows_;
  std::vector<std::uint32_t> scores_;
  std::vector<std::uint8_t> liked_;  // members by bucket, the most liked first
  std::vector<std::uint8_t> asked_;  // how many of them a bucket has asked
  std::array<std::vector<Held>, max_members> held_;
};

}  // namespace sekisho::decide
