// SPDX-License-Identifier: BSD-3-Clause
// Follows packets through one worker's pipeline, by the address of their buffers, and notes what the stages decide about them: nothing
// is asked a second time. There is one only while somebody traces; all of it is off the path of packets otherwise.
//
// The columns of a burst lose their gaps as packets leave it, so they are read where they are whole: before a stage takes packets out,
// and at the end. Of a packet the first that is said of what became of it counts, since its buffer may be another packet's by then; but what
// was given to the kernel may still be refused there.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "common/base/apart.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/judgement.hpp"

struct rte_mbuf;

namespace sekisho::forward {

class alignas(base::apart) Tracing {
 public:
  static constexpr std::uint32_t longest = 256;  // bytes that are kept of a frame

  struct Entry {
    const rte_mbuf* mbuf = nullptr;
    std::uint32_t size = 0;
    std::uint32_t kept = 0;
    Judgement judgement;
    std::array<std::uint8_t, longest> bytes;
  };

  // Those of the frames that are wanted, as they came.
  [[gnu::cold]] void begin(std::span<rte_mbuf* const> frames, PacketMask wanted, std::uint32_t snap_length,
                           bool generated) noexcept;

  // Before a stage takes packets out of the burst.
  [[gnu::cold]] void admitted(const Burst& burst) noexcept;
  [[gnu::cold]] void resolved(const Burst& burst) noexcept;
  // Of one that leaves the straight path.
  [[gnu::cold]] void decided(const rte_mbuf* mbuf, Verdict verdict,
                             std::optional<packet::IcmpError> told = {}) noexcept;
  [[gnu::cold]] void is_waiting(const rte_mbuf* mbuf) noexcept;
  // Of one that is judged alone, after it has waited.
  [[gnu::cold]] void judged(const rte_mbuf* mbuf, std::optional<ZoneIndex> zone,
                            std::optional<NextHopIndex> next_hop,
                            std::optional<nexthop::AdjacencyIndex> member) noexcept;
  // What is still in the burst at its end has been sent.
  [[gnu::cold]] void sent(const Burst& burst) noexcept;

  [[nodiscard]] std::span<const Entry> entries() const noexcept { return {entries_.data(), count_}; }

 private:
  [[nodiscard]] Entry* find(const rte_mbuf* mbuf) noexcept;
  template <typename Note>
  void note(const Burst& burst, Note note) noexcept {
    for (unsigned at = 0; at < burst.count; ++at) {
      if (Entry* const entry = find(burst.mbufs[at])) {
        note(entry->judgement, at);
      }
    }
  }

  unsigned count_ = 0;
  std::array<Entry, burst_capacity> entries_;
};

}  // namespace sekisho::forward
