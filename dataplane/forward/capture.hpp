// SPDX-License-Identifier: BSD-3-Clause
// Copies of frames for somebody who looks on: what `sekisho capture` shows, and with what became of them `sekisho trace`. There is none
// while nobody does, which costs a worker one predictable branch a burst where frames come in, are sent and have been judged, and one for
// each packet that leaves the straight path.
//
// A worker must not wait for who reads. The obvious queue, one for all workers, makes them wait for each other: one that is
// interrupted halfway through an enqueue holds up all others. So each worker has slots of its own and two rings with one
// producer and one consumer each: free slots come to it, filled ones go from it. When no slot is free the copy is lost, and counted; the
// packet goes its way in any case.
//
// What a device does not take has not been sent: a frame is copied before it is handed over, since the device may free it at
// once, and the copy is voided if it comes back.
#pragma once

#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/apart.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/judgement.hpp"
#include "dataplane/forward/tracing.hpp"

struct rte_bpf;
struct rte_mbuf;

namespace sekisho::forward {

class Capture {
 public:
  enum class Direction : std::uint8_t { received, sent, dropped, judged };
  static constexpr std::size_t directions = 4;

  struct Options {
    unsigned workers = 1;
    std::uint32_t snap_length = 0;  // bytes that are kept of a frame
    std::array<bool, directions> wanted{};
    std::shared_ptr<const rte_bpf> filter;  // of a frame, from its Ethernet header on; null: all frames
    std::optional<DropReason> only;         // of those that are judged, the ones that are dropped for this
  };
  static constexpr std::size_t memory = std::size_t{16} << 20;  // of all slots together
  static constexpr std::uint32_t longest_snap = 9'216;

  // One frame; its bytes lie behind it.
  struct Packet {
    std::uint64_t at = 0;  // TSC
    std::uint32_t size = 0;
    std::uint32_t kept = 0;
    PortIndex port = 0;  // where it came in or, of one that was sent, went out
    Direction direction{};
    DropReason reason{};  // of one that was dropped
    bool voided = false;  // it is nothing: the device did not take it
    Judgement judgement;  // of one that was judged: its bytes are as it came

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
      return {reinterpret_cast<const std::uint8_t*>(this + 1), kept};
    }
  };

  [[nodiscard]] static auto create(Options options) -> tl::expected<std::unique_ptr<Capture>, std::string>;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // The reader's: of these ports from now on.
  void set_ports(PortMask ports) noexcept { ports_.store(ports, std::memory_order_relaxed); }

  // Worker `worker`'s. At most burst_capacity frames, which are traced from here on.
  [[gnu::cold]] void received(unsigned worker, const RxQueue& ingress,
                              std::span<rte_mbuf* const> frames) const noexcept;
  [[gnu::cold]] void trace(unsigned worker, const RxQueue& ingress,
                           std::span<rte_mbuf* const> frames) const noexcept;
  // While packets are traced: what is told of them. Otherwise null.
  [[nodiscard]] Tracing* tracing(unsigned worker) const noexcept { return workers_[worker].tracing.get(); }
  // All that has been traced since: nothing more becomes of it.
  [[gnu::cold]] void judged(unsigned worker, PortIndex port) const noexcept;
  [[gnu::cold]] void dropped(unsigned worker, PortIndex port, std::span<rte_mbuf* const> frames,
                             std::span<const DropReason> reasons) const noexcept;
  // `transmit(frames)` hands them over and says how many the device took: the first ones.
  template <typename Transmit>
  unsigned sent(unsigned worker, PortIndex port, std::span<rte_mbuf*> frames,
                Transmit transmit) const noexcept {
    Slots slots;
    copy(worker, {.port = port, .direction = Direction::sent}, {frames.data(), frames.size()}, slots);
    const unsigned taken = transmit(frames);
    for (std::size_t at = 0; at < frames.size(); ++at) {
      if (slots[at] != nullptr) {
        slots[at]->voided = at >= taken;
      }
    }
    hand_over(worker, slots, frames.size());
    return taken;
  }

  // The reader's, one thread: at most `most` packets, of each worker in their order. How many there were.
  template <typename Visit>
  std::size_t read(std::size_t most, Visit visit) {
    std::size_t count = 0;
    for (auto& own : workers_) {
      void* slot = nullptr;
      while (count < most && rte_ring_sc_dequeue(own.filled.get(), &slot) == 0) {
        const auto& packet = *static_cast<const Packet*>(slot);
        if (!packet.voided) {
          visit(packet);
          ++count;
        }
        rte_ring_sp_enqueue(own.free.get(), slot);
      }
    }
    return count;
  }
  // Copies for which there was no slot, so far.
  [[nodiscard]] std::uint64_t lost() const noexcept;

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  using Ring = std::unique_ptr<rte_ring, Free>;
  struct alignas(base::apart) Worker {
    std::unique_ptr<std::byte, Free> slots;
    Ring free;
    Ring filled;
    std::unique_ptr<Tracing> tracing;
    mutable std::atomic<std::uint64_t> lost{0};
  };
  using Slots = std::array<Packet*, burst_capacity>;

  explicit Capture(Options options) : options_{std::move(options)}, workers_(options_.workers) {}
  [[nodiscard]] static Ring make_ring(unsigned slots);

  // Null: of a frame that is not wanted or found no slot. `like`: what they have in common.
  void copy(unsigned worker, const Packet& like, std::span<rte_mbuf* const> frames,
            Slots& slots) const noexcept;
  void hand_over(unsigned worker, const Slots& slots, std::size_t count) const noexcept;
  [[nodiscard]] PacketMask wanted(std::span<rte_mbuf* const> frames) const noexcept;
  [[nodiscard]] bool looks_at(PortIndex port) const noexcept {
    return (ports_.load(std::memory_order_relaxed) >> port & 1) != 0;
  }
  void count_lost(unsigned worker, std::uint64_t lost) const noexcept;

  Options options_;
  std::atomic<PortMask> ports_{0};
  std::vector<Worker> workers_;
};

// What is told of the packets that worker `worker` traces. Null: nobody looks on.
[[nodiscard]] inline Tracing* tracing_of(const ForwardingState& state, unsigned worker) noexcept {
  return state.capture == nullptr ? nullptr : state.capture->tracing(worker);
}

}  // namespace sekisho::forward
