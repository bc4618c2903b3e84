// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/packet_pool.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_mempool.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/fib/mapping.hpp"

namespace sekisho::port {
namespace {

// What lies before a frame that AF_XDP receives: DPDK's headroom and XDP's; around the packet: Ethernet's header and a VLAN tag.
constexpr unsigned before_frame = RTE_PKTMBUF_HEADROOM + 256;
constexpr unsigned around_packet = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
static_assert(before_frame + around_packet + usual_mtu == RTE_MBUF_DEFAULT_BUF_SIZE);

constexpr std::uint16_t data_room(std::uint16_t mtu) noexcept {
  return static_cast<std::uint16_t>(before_frame + around_packet + std::max(mtu, usual_mtu));
}

// The spreading over memory channels would make of a page a page and a line.
constexpr unsigned spreading(std::uint16_t mtu) noexcept {
  return mtu > usual_mtu ? RTE_MEMPOOL_F_NO_SPREAD : 0;
}

rte_iova_t iova_of(const void* address) {
  if (rte_eal_iova_mode() == RTE_IOVA_VA) {
    return reinterpret_cast<std::uintptr_t>(address);
  }
  const rte_memseg* const page = rte_mem_virt2memseg(address, nullptr);
  return page == nullptr || page->iova == RTE_BAD_IOVA
             ? RTE_BAD_IOVA
             : page->iova + (reinterpret_cast<std::uintptr_t>(address) - page->addr_64);
}

// Its addresses go on from one page to the next.
bool in_one_piece(const rte_mempool& pool, const void* object) {
  const auto* const begin = static_cast<const std::byte*>(object);
  const std::size_t last = pool.elt_size - 1;
  const auto iova = iova_of(begin);
  return iova != RTE_BAD_IOVA && iova_of(begin + last) == iova + last;
}

// The pool was filled as if its memory had none.
void give_iova(rte_mempool* pool, void* memory, void* object, unsigned) {
  auto* const mbuf = static_cast<rte_mbuf*>(object);
  const auto iova = *static_cast<const PoolMemory*>(memory) == PoolMemory::own
                        ? reinterpret_cast<std::uintptr_t>(object)
                        : iova_of(object);
  rte_mempool_get_header(object)->iova = iova;
  rte_mbuf_iova_set(mbuf, iova + sizeof(rte_mbuf) + rte_pktmbuf_priv_size(pool));
}

// Never to be given out. They stay part of the pool's memory, which has to be dense.
void retire_divided(rte_mempool* pool) {
  std::vector<void*> all(rte_mempool_avail_count(pool));
  if (rte_mempool_get_bulk(pool, all.data(), static_cast<unsigned>(all.size())) != 0) {
    return;
  }
  const auto divided =
      std::ranges::partition(all, [&](const void* object) { return in_one_piece(*pool, object); });
  rte_mempool_put_bulk(pool, all.data(), static_cast<unsigned>(divided.begin() - all.begin()));
}

// DPDK's own memory is a memfd's when there are no reserved hugepages, and the kernel makes huge pages for anonymous memory alone,
// unless its defaults were changed.
bool populate_own(rte_mempool& pool) {
  const std::size_t bytes =
      std::size_t{pool.size} * rte_mempool_calc_obj_size(pool.elt_size, pool.flags, nullptr);
  auto memory = std::make_unique<fib::Mapping>();
  if (!memory->reserve(bytes) || !memory->grow_to(bytes, fib::HugePages::transparent)) {
    rte_errno = ENOMEM;
    return false;
  }
  const auto release = [](rte_mempool_memhdr*, void* mapping) { delete static_cast<fib::Mapping*>(mapping); };
  if (rte_mempool_populate_virt(&pool, memory->as<char>(), bytes, static_cast<std::size_t>(getpagesize()),
                                release, memory.get()) < 0) {
    return false;
  }
  static_cast<void>(memory.release());
  return true;
}

// What /proc/self/smaps says of one mapping.
struct Mapped {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint64_t page = 0;         // bytes
  std::uint64_t transparent = 0;  // bytes
};

// Some twenty thousand lines, of which few matter: the rest is not to cost the writer more than the kernel takes to print it.
std::vector<Mapped> mappings() {
  std::vector<Mapped> all;
  std::ifstream smaps("/proc/self/smaps");
  for (std::string line; std::getline(smaps, line);) {
    Mapped mapped;
    const auto bytes = [&] { return std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10) * 1024; };
    if (line.starts_with("KernelPageSize:")) {
      all.back().page = bytes();
    } else if (line.starts_with("AnonHugePages:")) {
      all.back().transparent = bytes();
    } else if (line.find(':') > line.find('-') &&
               std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &mapped.begin, &mapped.end) == 2) {
      all.push_back(mapped);
    }
  }
  return all;
}

}  // namespace

rte_mempool* make_packet_pool(const std::string& name, unsigned buffers, unsigned cache, int socket,
                              PoolMemory memory, std::uint16_t mtu) {
  rte_mempool* pool = rte_mempool_create_empty(name.c_str(), buffers, sizeof(rte_mbuf) + data_room(mtu),
                                               cache, sizeof(rte_pktmbuf_pool_private), socket,
                                               RTE_MEMPOOL_F_NO_IOVA_CONTIG | spreading(mtu));
  if (pool == nullptr) {
    return nullptr;
  }
  rte_pktmbuf_pool_private layout{};
  layout.mbuf_data_room_size = data_room(mtu);
  rte_pktmbuf_pool_init(pool, &layout);
  rte_mempool_set_ops_byname(pool, "ring_mt_rts", nullptr);
  if (memory == PoolMemory::own ? !populate_own(*pool) : rte_mempool_populate_default(pool) < 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  rte_mempool_obj_iter(pool, give_iova, &memory);
  if (memory == PoolMemory::dpdk && rte_eal_iova_mode() == RTE_IOVA_PA) {
    retire_divided(pool);
  }
  return pool;
}

std::size_t buffer_bytes(std::uint16_t mtu) noexcept {
  return rte_mempool_calc_obj_size(static_cast<std::uint32_t>(sizeof(rte_mbuf)) + data_room(mtu),
                                   spreading(mtu), nullptr);
}

PoolPages pages_of(const rte_mempool& pool) {
  PoolPages pages;
  const auto all = mappings();
  const rte_mempool_memhdr* chunk = nullptr;
  STAILQ_FOREACH(chunk, &pool.mem_list, next) {
    const auto begin = reinterpret_cast<std::uintptr_t>(chunk->addr);
    const auto end = begin + chunk->len;
    for (const auto& mapped : all) {
      if (mapped.begin >= end || mapped.end <= begin) {
        continue;
      }
      const std::uint64_t bytes = std::min(mapped.end, end) - std::max(mapped.begin, begin);
      pages.bytes += bytes;
      if (mapped.page > static_cast<std::uint64_t>(getpagesize())) {
        pages.reserved += bytes;
      } else {
        pages.transparent += std::min(mapped.transparent, bytes);
      }
    }
  }
  return pages;
}

}  // namespace sekisho::port
