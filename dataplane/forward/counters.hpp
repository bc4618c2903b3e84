// SPDX-License-Identifier: BSD-3-Clause
// What a worker counts. Each worker has its own, and each counter one thread that writes it at a time: no locked
// instruction. A reader on another thread sums over workers and may see a burst half counted.
//
// Packets and bytes (bytes of the frame without FCS). Every frame that was received or generated ends in exactly one of: tx of
// some port, drops, host; until then a few are `waiting`. A packet that leaves in fragments is the first of them; the others are generated.
#pragma once

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#include <array>
#include <atomic>
#include <cstdint>
#include <type_traits>

#include "dataplane/decide/drop_reason.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/nexthop/next_hop_table.hpp"
#include "dataplane/packet/icmp_error.hpp"

namespace sekisho::forward {

class Counter {
 public:
  // The owning worker; of an index that no worker counts for any more, the writer.
  void add(std::uint64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Bytes first: a packet's size comes from memory into the lower half of a vector by one instruction.
struct alignas(16) Traffic {
  Counter bytes;
  Counter packets;

#ifdef __x86_64__
  // Both at once, in half the loads and stores. No x86 CPU known shows half of an aligned 64-bit number that a vector instruction
  // writes (those with AVX guarantee it for all 16 bytes): as good as relaxed atomics, save that a sanitizer cannot know it.
  [[gnu::no_sanitize_thread]] void add(std::uint64_t more_packets, std::uint64_t more_bytes) noexcept {
    add(_mm_set_epi64x(static_cast<long long>(more_packets), static_cast<long long>(more_bytes)));
  }
  [[gnu::no_sanitize_thread]] void add_one(std::uint32_t its_bytes) noexcept {
    add(_mm_add_epi64(_mm_cvtsi32_si128(static_cast<int>(its_bytes)), _mm_set_epi64x(1, 0)));
  }

 private:
  [[gnu::no_sanitize_thread]] void add(__m128i more) noexcept {
    auto* const both = reinterpret_cast<__m128i*>(this);
    _mm_store_si128(both, _mm_add_epi64(_mm_load_si128(both), more));
  }
#else
  // Another CPU may show half of a number that a vector instruction writes.
  void add(std::uint64_t more_packets, std::uint64_t more_bytes) noexcept {
    packets.add(more_packets);
    bytes.add(more_bytes);
  }
  void add_one(std::uint32_t its_bytes) noexcept { add(1, its_bytes); }
#endif
};
static_assert(sizeof(Traffic) == 16 && std::is_standard_layout_v<Traffic>);

struct alignas(64) PortCounters {
  Traffic rx;
  Traffic tx;
  Traffic
      generated;  // from this appliance's kernel: to be sent here, or a reply by the exit; ICMP errors; fragments
  Counter host;
  Counter waiting;  // for their neighbour: of rx and generated, those that have not ended yet
  std::array<Counter, drop_reason_count> drops;  // of frames received on this port
  // About packets received on this port.
  std::array<Counter, packet::icmp_error_count> icmp;  // errors, by kind
  Counter icmp_limited;  // errors that the limits, or a lack of buffers, kept back
  Counter fragmented;    // packets that left in fragments
  Counter fragments;     // these
  Counter mss_clamped;   // TCP segments that were made to say less, also those that are dropped behind it
  // Of the frames that were looked at (WorkerData::look_closer), those whose TCP or UDP checksum nobody has finished.
  Counter unfinished_checksums;
};

struct WorkerCounters {
  std::array<PortCounters, max_ports> ports;
  std::array<Traffic, max_zones + 1> zones;  // packets whose source belongs to it, after the spoof test
  std::array<Traffic, nexthop::max_next_hops> next_hops;      // packets that the destination table sent there
  std::array<Traffic, nexthop::max_adjacencies> adjacencies;  // packets transmitted to it
  Counter polls;
  Counter bursts;
  Counter sleeps;
};

}  // namespace sekisho::forward
