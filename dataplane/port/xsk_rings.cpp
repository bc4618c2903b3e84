// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/xsk_rings.hpp"

#include <linux/if_xdp.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "common/base/fd.hpp"

namespace sekisho::port {
namespace {

// In unaligned mode, which the PMD uses, the upper bits of an address are an offset into the buffer.
std::uint64_t buffer_address(const std::byte* entry) noexcept {
  std::uint64_t address = 0;
  std::memcpy(&address, entry, sizeof address);
  return address & ((std::uint64_t{1} << XSK_UNALIGNED_BUF_OFFSET_SHIFT) - 1);
}

bool offsets_of(int socket, xdp_mmap_offsets& offsets) noexcept {
  socklen_t length = sizeof offsets;
  return getsockopt(socket, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) == 0;
}

}  // namespace

std::uint32_t XskRings::Ring::produced() const noexcept {
  return __atomic_load_n(producer, __ATOMIC_ACQUIRE);
}

std::uint32_t XskRings::Ring::used() const noexcept {
  // The consumer first: the difference may be too large by what was consumed meanwhile, never negative.
  const std::uint32_t taken = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
  return produced() - taken;
}

XskRings::Ring XskRings::find_ring(const std::vector<MappedRange>& mapped, const xdp_ring_offset& offset,
                                   std::size_t entry, std::uint64_t page) {
  const auto range = std::ranges::find(mapped, page, &MappedRange::offset);
  if (range == mapped.end()) {
    return {};
  }
  // A ring has a power of two of entries; the mapping ends with the page that has the last one.
  const auto size = std::bit_floor((range->end - range->begin - offset.desc) / entry);
  const auto* base = reinterpret_cast<const std::byte*>(range->begin);
  return {static_cast<std::uint32_t>(size), reinterpret_cast<const std::uint32_t*>(base + offset.producer),
          reinterpret_cast<const std::uint32_t*>(base + offset.consumer), base + offset.desc};
}

void XskRings::add_buffers(std::set<rte_mbuf*>& buffers, const rte_mempool& pool, const Ring& ring,
                           std::size_t entry, std::uint32_t begin, std::uint32_t end) {
  const rte_mempool_memhdr* chunk = STAILQ_FIRST(&pool.mem_list);
  const auto chunk_begin = reinterpret_cast<std::uintptr_t>(chunk->addr);
  // What the PMD calls the buffer: the first page of the pool's memory.
  const auto base = chunk_begin & ~(static_cast<std::uintptr_t>(getpagesize()) - 1);
  for (std::uint32_t index = begin; index != end; ++index) {
    const auto address =
        base + buffer_address(ring.entries + (index & (ring.size - 1)) * entry) + pool.header_size;
    if (address >= chunk_begin && address < chunk_begin + chunk->len) {
      buffers.insert(reinterpret_cast<rte_mbuf*>(address));
    }
  }
}

std::optional<XskRings> XskRings::find(int socket, const std::vector<MappedRange>& mapped) {
  xdp_mmap_offsets offsets{};
  if (!offsets_of(socket, offsets)) {
    return std::nullopt;
  }
  XskRings rings(socket);
  rings.receive_ = find_ring(mapped, offsets.rx, sizeof(xdp_desc), XDP_PGOFF_RX_RING);
  rings.transmit_ = find_ring(mapped, offsets.tx, sizeof(xdp_desc), XDP_PGOFF_TX_RING);
  rings.fill_ = find_ring(mapped, offsets.fr, sizeof(std::uint64_t), XDP_UMEM_PGOFF_FILL_RING);
  rings.completion_ = find_ring(mapped, offsets.cr, sizeof(std::uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
  for (const Ring* ring : {&rings.receive_, &rings.transmit_, &rings.fill_, &rings.completion_}) {
    if (ring->entries == nullptr) {
      return std::nullopt;
    }
  }
  rings.circulating_ = rings.fill_.produced();
  return rings;
}

std::uint64_t XskRings::held() const noexcept {
  return receive_.used();
}

std::uint64_t XskRings::missed() const noexcept {
  // The PMD's imissed leaves rx_ring_full out.
  xdp_statistics statistics{};
  socklen_t length = sizeof statistics;
  getsockopt(socket_, SOL_XDP, XDP_STATISTICS, &statistics, &length);
  return statistics.rx_dropped + statistics.rx_ring_full;
}

bool XskRings::has_lost_netdev() const noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ENETDOWN;
}

std::set<rte_mbuf*> XskRings::posted(const std::vector<MappedRange>& mapped, const rte_mempool& pool) {
  std::set<rte_mbuf*> buffers;
  // Where in a mapping things lie is the same for every socket.
  const base::Fd socket{::socket(AF_XDP, SOCK_RAW, 0)};
  xdp_mmap_offsets offsets{};
  if (offsets_of(socket.get(), offsets)) {
    const Ring fill = find_ring(mapped, offsets.fr, sizeof(std::uint64_t), XDP_UMEM_PGOFF_FILL_RING);
    if (fill.entries != nullptr) {
      const std::uint32_t posted = fill.produced();
      add_buffers(buffers, pool, fill, sizeof(std::uint64_t), posted - std::min(posted, fill.size), posted);
    }
  }
  return buffers;
}

std::set<rte_mbuf*> XskRings::lent(const rte_mempool& pool) const {
  std::set<rte_mbuf*> buffers;
  const auto add = [&](const Ring& ring, std::size_t entry, std::uint32_t begin, std::uint32_t end) {
    add_buffers(buffers, pool, ring, entry, begin, end);
  };
  // The kernel takes buffers in the order in which they were posted, and one is posted for each that comes
  // back: the last ones posted are those that are out, wherever the kernel has them. (Its consumer index lags
  // behind what it has taken.)
  const std::uint32_t posted = fill_.produced();
  add(fill_, sizeof(std::uint64_t), posted - circulating_, posted);
  // The transmit ring before the completion ring: a buffer that moves on meanwhile is seen twice rather than
  // never.
  add(transmit_, sizeof(xdp_desc), transmit_.produced() - transmit_.used(), transmit_.produced());
  add(completion_, sizeof(std::uint64_t), completion_.produced() - completion_.used(),
      completion_.produced());
  return buffers;
}

}  // namespace sekisho::port
