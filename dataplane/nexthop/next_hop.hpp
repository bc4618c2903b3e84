// SPDX-License-Identifier: BSD-3-Clause
// A next hop as workers read it: a power of two of buckets, each an adjacency. One that has a single way has a single bucket and
// is one cache line, since there may be thousands; with 64 members there are 16,384 buckets, 32 KiB.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "dataplane/packet/flow_hash.hpp"

namespace sekisho::nexthop {

using AdjacencyIndex = std::uint16_t;

class NextHop;
struct FreeNextHop {
  void operator()(const NextHop* next_hop) const noexcept;
};
using NextHopPointer = std::unique_ptr<const NextHop, FreeNextHop>;

// Immutable. The buckets lie behind it in the same piece of memory: a pointer to them would be one more load.
class NextHop {
 public:
  // A power of two of buckets.
  [[nodiscard]] static NextHopPointer make(std::span<const AdjacencyIndex> buckets, packet::HashBy hash_by) {
    assert(std::has_single_bit(buckets.size()));
    void* const memory = ::operator new(sizeof(NextHop) + buckets.size_bytes(), alignment);
    auto* const next_hop = new (memory) NextHop(static_cast<std::uint32_t>(buckets.size()), hash_by);
    std::ranges::uninitialized_copy(buckets, std::span{next_hop->first(), buckets.size()});
    return NextHopPointer{next_hop};
  }
  NextHop(const NextHop&) = delete;
  NextHop& operator=(const NextHop&) = delete;

  // By a hash of this kind.
  [[nodiscard]] AdjacencyIndex choose(std::uint32_t flow_hash) const noexcept {
    return first()[flow_hash & mask_];
  }
  [[nodiscard]] packet::HashBy hash_by() const noexcept { return hash_by_; }
  [[nodiscard]] std::span<const AdjacencyIndex> buckets() const noexcept {
    return {first(), std::size_t{mask_} + 1};
  }

  friend bool operator==(const NextHop& a, const NextHop& b) noexcept {
    return a.hash_by_ == b.hash_by_ && std::ranges::equal(a.buckets(), b.buckets());
  }

 private:
  friend FreeNextHop;
  static constexpr std::align_val_t alignment{64};

  NextHop(std::uint32_t buckets, packet::HashBy hash_by) noexcept : mask_{buckets - 1}, hash_by_{hash_by} {}
  ~NextHop() = default;

  [[nodiscard]] AdjacencyIndex* first() noexcept { return reinterpret_cast<AdjacencyIndex*>(this + 1); }
  [[nodiscard]] const AdjacencyIndex* first() const noexcept {
    return reinterpret_cast<const AdjacencyIndex*>(this + 1);
  }

  std::uint32_t mask_;
  packet::HashBy hash_by_;
};
static_assert(sizeof(NextHop) == 8);

inline void FreeNextHop::operator()(const NextHop* next_hop) const noexcept {
  next_hop->~NextHop();
  ::operator delete(const_cast<NextHop*>(next_hop), NextHop::alignment);
}

}  // namespace sekisho::nexthop
