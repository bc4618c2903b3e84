// SPDX-License-Identifier: BSD-3-Clause
// Destinations that want an adjacency: what packets to a connected route were for, noted by one worker and taken by the writer, which
// tells control.
//
// A connected route says that the destination sits on a port's own subnet and is its own neighbour. Until control has had
// the kernel resolve it, and has installed a /32 that leads to its adjacency, there is no MAC to send by: other routers
// call this a glean adjacency. A few of its packets wait (waiting.hpp), the others are dropped.
//
// Which destinations they were is to be told without a lock, an allocation or a system call. A ring of addresses, one for
// each dropped packet, is full after a moment's flood to a single absent host, and then loses what everybody else asks; to
// enter an address only once, a worker would need a set, and to forget. Here an address has one slot, chosen by its value,
// and noting it is one store: a flood to one destination rewrites one slot. The cost is 1 KiB a worker, and that of two
// destinations with the same slot the later one is told: the other asks again with its next packet, and while one waits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace sekisho::forward {

// On cache lines of its own: what a worker notes does not slow down whoever reads what lies beside it.
class alignas(64) Wanted {
 public:
  static constexpr unsigned slots = 256;

  // The worker's, for a packet that cannot go on. Host byte order; never 0.0.0.0, which no packet gets to (0/8 is martian).
  void note(std::uint32_t destination) noexcept {
    slots_[slot_of(destination)].store(destination, std::memory_order_relaxed);
  }

  // The writer's: calls `visit(destination)` for each that was noted since the last time.
  template <typename Visit>
  void take(Visit visit) {
    for (auto& slot : slots_) {
      // Nearly all are empty: they are not written, and stay in the worker's cache.
      if (slot.load(std::memory_order_relaxed) != 0) {
        visit(slot.exchange(0, std::memory_order_relaxed));
      }
    }
  }

  // The addresses of a /24 have a slot each, and the same host of two neighbouring /24s has two.
  [[nodiscard]] static constexpr unsigned slot_of(std::uint32_t destination) noexcept {
    return (destination ^ destination >> 8) % slots;
  }

 private:
  std::array<std::atomic<std::uint32_t>, slots> slots_{};
};

}  // namespace sekisho::forward
