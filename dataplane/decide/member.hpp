// SPDX-License-Identifier: BSD-3-Clause
// Which member of a next hop a flow takes. A function of the configured members, those of them that live, and the flow's hash:
// appliances of the same configuration choose alike, whatever happened to them before.
//
// A flow's hash chooses a bucket. Each bucket has an order of preference over all configured members, and its first living one
// counts: a death moves only the dead member's flows, its return brings back only those.
//
// Plain rendezvous hashing (Thaler & Ravishankar 1998) gives such orders, but two members of 256 buckets 44:56. Here the first
// choices are dealt out exactly by weight, and so are the next seven among buckets of the same first choice. The member that a
// bucket scores highest gets it as long as it has room (matching.hpp), so most buckets keep their member when the configured
// members change. Behind the eighth choice comes rendezvous order.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace sekisho::decide {

inline constexpr unsigned max_members = 64;
inline constexpr unsigned max_weight = 100;

struct Member {
  std::uint32_t address = 0;
  std::uint8_t weight = 1;  // up to max_weight; 0 counts as 1: a drained member keeps its place in the order
  friend auto operator<=>(const Member&, const Member&) = default;
};

// Some of at most max_members, one bit each by position.
using MemberMask = std::uint64_t;

// A power of two: of so many members, whatever they weigh.
[[nodiscard]] constexpr unsigned bucket_count(std::size_t members) noexcept {
  constexpr unsigned smallest = 1024;
  constexpr unsigned a_member = 256;
  const auto wanted = std::bit_ceil(static_cast<unsigned>(members) * a_member);
  return members <= 1 ? 1 : wanted < smallest ? smallest : wanted;
}

// Immutable: any number of threads may read it. At the largest 128 KiB and 50 ms to build; of two members 2 KiB and 0.2 ms.
class Preferences {
 public:
  // One to max_members, sorted by address, each address once.
  explicit Preferences(std::vector<Member> members);

  [[nodiscard]] const std::vector<Member>& members() const noexcept { return members_; }
  [[nodiscard]] unsigned buckets() const noexcept { return buckets_; }
  [[nodiscard]] unsigned bucket_of(std::uint32_t flow_hash) const noexcept {
    return flow_hash & (buckets_ - 1);
  }

  // The position of the member that has the bucket. At least one lives.
  [[nodiscard]] unsigned choose(unsigned bucket, MemberMask living) const noexcept {
    const std::uint8_t* const ranked = &ranked_[std::size_t{bucket} * ranks_];
    for (unsigned rank = 0; rank < ranks_; ++rank) {
      if ((living >> ranked[rank] & 1) != 0) {
        return ranked[rank];
      }
    }
    return choose_behind(bucket, living);
  }

 private:
  [[nodiscard]] unsigned choose_behind(unsigned bucket, MemberMask living) const noexcept;

  std::vector<Member> members_;
  unsigned buckets_;
  unsigned ranks_;
  std::vector<std::uint8_t> ranked_;  // positions; `ranks_` of them a bucket
};

}  // namespace sekisho::decide
