// SPDX-License-Identifier: BSD-3-Clause
// The newest packets that a worker dropped, a few of each reason: what `sekisho show drops --last` shows. Always kept, since a
// packet that somebody asks for later has gone by then.
//
// One thread notes, the worker; others read. Neither waits: a slot has a sequence number, odd while it is written, and a reader
// that finds another one behind its reading than before it reads again. All words are atomic, which costs no locked instruction.
//
// Nothing is noted of a packet that is forwarded. A flood of drops costs at most `kept` notes of a cache line each a burst and reason.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "common/base/apart.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/forwarding_state.hpp"

struct rte_mbuf;

namespace sekisho::forward {

struct DroppedPacket {
  static constexpr unsigned readable = 64;  // bytes that are kept of a frame

  DropReason reason{};
  PortIndex port = 0;      // where it came in
  bool generated = false;  // by this appliance's kernel
  std::uint32_t size = 0;  // of the whole frame
  std::uint64_t at = 0;    // TSC
  std::array<std::uint8_t, readable> frame{};

  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return {frame.data(), size < readable ? size : readable};
  }
};

class LastDrops {
 public:
  static constexpr unsigned kept = 8;  // of each reason

  // The worker's: of each reason the last ones. `reasons`: of `frames`, one by one; both are at most burst_capacity.
  [[gnu::cold]] void note(const RxQueue& ingress, std::span<rte_mbuf* const> frames,
                          std::span<const DropReason> reasons) noexcept;

  // The writer's, before the index is another port's: what came in there is not shown any more.
  void forget(PortIndex port) noexcept;

  // Any thread's: in no order. One that is overwritten all the while is left out.
  template <typename Visit>
  void read(Visit visit) const {
    for (std::size_t reason = 0; reason < drop_reason_count; ++reason) {
      for (const auto& slot : slots_->of_reason[reason]) {
        if (DroppedPacket packet;
            slot.read(packet) && packet.at >= since_[packet.port].load(std::memory_order_relaxed)) {
          packet.reason = static_cast<DropReason>(reason);
          visit(packet);
        }
      }
    }
  }

 private:
  class Slot {
   public:
    void write(const DroppedPacket& packet) noexcept;
    [[nodiscard]] bool read(DroppedPacket& packet) const noexcept;

   private:
    static constexpr std::size_t frame_words = DroppedPacket::readable / sizeof(std::uint64_t);

    std::atomic<std::uint64_t> sequence_{0};  // 0: nothing was ever written
    std::atomic<std::uint64_t> at_{0};
    std::atomic<std::uint64_t> properties_{0};  // size, port, generated
    std::array<std::atomic<std::uint64_t>, frame_words> frame_{};
  };
  struct alignas(base::apart) Slots {
    std::array<std::array<Slot, kept>, drop_reason_count> of_reason;
  };

  std::unique_ptr<Slots> slots_ = std::make_unique<Slots>();
  std::array<std::uint8_t, drop_reason_count> next_{};  // slot, by reason
  std::array<std::atomic<std::uint64_t>, max_ports> since_{};
};

}  // namespace sekisho::forward
