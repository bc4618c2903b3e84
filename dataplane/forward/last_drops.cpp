// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/last_drops.hpp"

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>

namespace sekisho::forward {
namespace {

constexpr unsigned read_attempts = 4;

constexpr std::uint64_t pack(const DroppedPacket& packet) noexcept {
  return std::uint64_t{packet.size} << 16 | std::uint64_t{packet.port} << 8 | std::uint64_t{packet.generated};
}

constexpr void unpack(std::uint64_t properties, DroppedPacket& packet) noexcept {
  packet.size = static_cast<std::uint32_t>(properties >> 16);
  packet.port = static_cast<PortIndex>(properties >> 8);
  packet.generated = (properties & 1) != 0;
}

}  // namespace

void LastDrops::Slot::write(const DroppedPacket& packet) noexcept {
  const auto sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  at_.store(packet.at, std::memory_order_relaxed);
  properties_.store(pack(packet), std::memory_order_relaxed);
  std::array<std::uint64_t, frame_words> words;
  std::memcpy(words.data(), packet.frame.data(), sizeof(words));
  for (std::size_t word = 0; word < frame_words; ++word) {
    frame_[word].store(words[word], std::memory_order_relaxed);
  }
  sequence_.store(sequence + 2, std::memory_order_release);
}

bool LastDrops::Slot::read(DroppedPacket& packet) const noexcept {
  for (unsigned attempt = 0; attempt < read_attempts; ++attempt) {
    const auto before = sequence_.load(std::memory_order_acquire);
    if (before == 0) {
      return false;
    }
    packet.at = at_.load(std::memory_order_relaxed);
    unpack(properties_.load(std::memory_order_relaxed), packet);
    std::array<std::uint64_t, frame_words> words;
    for (std::size_t word = 0; word < frame_words; ++word) {
      words[word] = frame_[word].load(std::memory_order_relaxed);
    }
    std::memcpy(packet.frame.data(), words.data(), sizeof(words));
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && sequence_.load(std::memory_order_relaxed) == before) {
      return true;
    }
  }
  return false;
}

void LastDrops::note(const RxQueue& ingress, std::span<rte_mbuf* const> frames,
                     std::span<const DropReason> reasons) noexcept {
  std::array<std::uint8_t, drop_reason_count> left{};
  for (const auto reason : reasons) {
    ++left[static_cast<std::size_t>(reason)];
  }
  DroppedPacket packet{.port = ingress.port, .generated = ingress.generated, .at = rte_rdtsc()};
  for (std::size_t at = 0; at < frames.size(); ++at) {
    const auto reason = static_cast<std::size_t>(reasons[at]);
    if (left[reason]-- > kept) {
      continue;
    }
    packet.size = frames[at]->pkt_len;
    const auto copied = static_cast<std::uint32_t>(packet.bytes().size());
    const auto* const bytes = rte_pktmbuf_read(frames[at], 0, copied, packet.frame.data());
    if (bytes != packet.frame.data()) {
      std::memcpy(packet.frame.data(), bytes, copied);
    }
    slots_->of_reason[reason][next_[reason]].write(packet);
    next_[reason] = static_cast<std::uint8_t>((next_[reason] + 1) % kept);
  }
}

void LastDrops::forget(PortIndex port) noexcept {
  since_[port].store(rte_rdtsc(), std::memory_order_relaxed);
}

}  // namespace sekisho::forward
