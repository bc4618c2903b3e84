// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/forward/capture.hpp"

#include <rte_bpf.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sekisho::forward {

void Capture::Free::operator()(void* memory) const noexcept {
  std::free(memory);
}

auto Capture::make_ring(unsigned slots) -> Ring {
  const auto size = static_cast<std::size_t>(rte_ring_get_memsize(slots));
  Ring ring{static_cast<rte_ring*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size))};
  if (ring == nullptr || rte_ring_init(ring.get(), "capture", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
    throw std::bad_alloc{};
  }
  return ring;
}

auto Capture::create(Options options) -> tl::expected<std::unique_ptr<Capture>, std::string> {
  if (options.snap_length == 0 || options.snap_length > longest_snap) {
    return tl::unexpected("the snap length must be 1 to " + std::to_string(longest_snap) + " bytes");
  }
  constexpr std::size_t alignment = alignof(Packet);
  const std::size_t slot = (sizeof(Packet) + options.snap_length + alignment - 1) / alignment * alignment;
  // A ring holds one less than its size, which is a power of two.
  const auto slots = static_cast<unsigned>(std::bit_floor(memory / options.workers / slot));
  std::unique_ptr<Capture> capture{new Capture{std::move(options)}};
  for (auto& own : capture->workers_) {
    own.free = make_ring(slots);
    own.filled = make_ring(slots);
    const std::size_t size =
        (slots * slot + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
    own.slots.reset(static_cast<std::byte*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size)));
    if (own.slots == nullptr) {
      throw std::bad_alloc{};
    }
    if (capture->options_.wanted[static_cast<std::size_t>(Direction::judged)]) {
      own.tracing = std::make_unique<Tracing>();
    }
    // Pages are there before a worker writes them.
    std::memset(own.slots.get(), 0, size);
    for (unsigned at = 0; at + 1 < slots; ++at) {
      rte_ring_sp_enqueue(own.free.get(), own.slots.get() + at * slot);
    }
  }
  return capture;
}

std::uint64_t Capture::lost() const noexcept {
  std::uint64_t all = 0;
  for (const auto& own : workers_) {
    all += own.lost.load(std::memory_order_relaxed);
  }
  return all;
}

PacketMask Capture::wanted(std::span<rte_mbuf* const> frames) const noexcept {
  const auto count = static_cast<unsigned>(frames.size());
  if (options_.filter == nullptr) {
    return first_bits(count);
  }
  std::array<void*, burst_capacity> contexts;
  std::array<std::uint64_t, burst_capacity> results;
  std::copy(frames.begin(), frames.end(), contexts.begin());
  rte_bpf_exec_burst(options_.filter.get(), contexts.data(), results.data(), count);
  PacketMask mask = 0;
  for (unsigned at = 0; at < count; ++at) {
    mask |= results[at] != 0 ? bit(at) : 0;
  }
  return mask;
}

void Capture::copy(unsigned worker, const Packet& like, std::span<rte_mbuf* const> frames,
                   Slots& slots) const noexcept {
  std::fill_n(slots.begin(), frames.size(), nullptr);
  if (!options_.wanted[static_cast<std::size_t>(like.direction)] || !looks_at(like.port)) {
    return;
  }
  const auto& own = workers_[worker];
  const auto now = rte_rdtsc();
  std::uint64_t lost = 0;
  for_each_bit(wanted(frames), [&](unsigned at) {
    void* slot = nullptr;
    if (rte_ring_sc_dequeue(own.free.get(), &slot) != 0) {
      ++lost;
      return;
    }
    auto& packet = *new (slot) Packet{like};
    packet.at = now;
    packet.size = frames[at]->pkt_len;
    packet.kept = std::min(packet.size, options_.snap_length);
    auto* const bytes = static_cast<std::byte*>(slot) + sizeof(Packet);
    if (const auto* const found = rte_pktmbuf_read(frames[at], 0, packet.kept, bytes); found != bytes) {
      std::memcpy(bytes, found, packet.kept);
    }
    slots[at] = &packet;
  });
  count_lost(worker, lost);
}

void Capture::count_lost(unsigned worker, std::uint64_t lost) const noexcept {
  auto& counter = workers_[worker].lost;
  if (lost != 0) {
    counter.store(counter.load(std::memory_order_relaxed) + lost, std::memory_order_relaxed);
  }
}

// A ring has room for every slot there is.
void Capture::hand_over(unsigned worker, const Slots& slots, std::size_t count) const noexcept {
  for (std::size_t at = 0; at < count; ++at) {
    if (slots[at] != nullptr) {
      rte_ring_sp_enqueue(workers_[worker].filled.get(), slots[at]);
    }
  }
}

void Capture::received(unsigned worker, const RxQueue& ingress,
                       std::span<rte_mbuf* const> frames) const noexcept {
  if (!ingress.generated) {
    Slots slots;
    copy(worker, {.port = ingress.port, .direction = Direction::received}, frames, slots);
    hand_over(worker, slots, frames.size());
  }
  trace(worker, ingress, frames);
}

void Capture::trace(unsigned worker, const RxQueue& ingress,
                    std::span<rte_mbuf* const> frames) const noexcept {
  if (auto* const own = tracing(worker)) {
    own->begin(frames, looks_at(ingress.port) ? wanted(frames) : PacketMask{0}, options_.snap_length,
               ingress.generated);
  }
}

void Capture::judged(unsigned worker, PortIndex port) const noexcept {
  const auto* const own = tracing(worker);
  if (own == nullptr) {
    return;
  }
  const auto now = rte_rdtsc();
  std::uint64_t lost = 0;
  for (const auto& entry : own->entries()) {
    const bool is_dropped = entry.judgement.fate == Judgement::Fate::dropped;
    if (options_.only && (!is_dropped || entry.judgement.reason != *options_.only)) {
      continue;
    }
    void* slot = nullptr;
    if (rte_ring_sc_dequeue(workers_[worker].free.get(), &slot) != 0) {
      ++lost;
      continue;
    }
    auto* const packet = new (slot) Packet{.at = now,
                                           .size = entry.size,
                                           .kept = entry.kept,
                                           .port = port,
                                           .direction = Direction::judged,
                                           .reason = entry.judgement.reason,
                                           .judgement = entry.judgement};
    std::memcpy(packet + 1, entry.bytes.data(), entry.kept);
    rte_ring_sp_enqueue(workers_[worker].filled.get(), slot);
  }
  count_lost(worker, lost);
}

void Capture::dropped(unsigned worker, PortIndex port, std::span<rte_mbuf* const> frames,
                      std::span<const DropReason> reasons) const noexcept {
  Slots slots;
  copy(worker, {.port = port, .direction = Direction::dropped}, frames, slots);
  for (std::size_t at = 0; at < frames.size(); ++at) {
    if (slots[at] != nullptr) {
      slots[at]->reason = reasons[at];
    }
  }
  hand_over(worker, slots, frames.size());
}

}  // namespace sekisho::forward
