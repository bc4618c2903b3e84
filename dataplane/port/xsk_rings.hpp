// SPDX-License-Identifier: BSD-3-Clause
// A second view of the rings of an AF_XDP socket that the PMD owns, for what the PMD does not tell: how many
// frames the rings hold, how many did not fit, and which packet buffers go down with the socket
// (net_af_xdp 22.11 does not return those of its fill ring to their pool).
//
// It looks at the PMD's own mappings, because Linux before 6.4 refuses to map the rings of a bound socket again (xsk_mmap:
// EBUSY). So it must be gone before the PMD closes the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "dataplane/port/open_files.hpp"

struct rte_mbuf;
struct rte_mempool;
struct xdp_ring_offset;

namespace sekisho::port {

class XskRings {
 public:
  // `socket` as the PMD has just set it up, nothing received yet, and where it is mapped. Nothing if a ring is not.
  [[nodiscard]] static std::optional<XskRings> find(int socket, const std::vector<MappedRange>& mapped);

  // The buffers that lie in the fill ring of a socket with which nothing was received, found where the ring is mapped.
  [[nodiscard]] static std::set<rte_mbuf*> posted(const std::vector<MappedRange>& mapped,
                                                  const rte_mempool& pool);

  // Received and not yet taken by the worker.
  [[nodiscard]] std::uint64_t held() const noexcept;
  // Redirected to the socket and lost: no buffer in the fill ring, no room in the receive ring, or longer
  // than a buffer.
  [[nodiscard]] std::uint64_t missed() const noexcept;
  // Whether the kernel has taken the netdev from under the socket since this was last asked. It is unbound for good then.
  [[nodiscard]] bool has_lost_netdev() const noexcept;
  // The buffers that the PMD has lent to the kernel. No worker uses the queue any more.
  [[nodiscard]] std::set<rte_mbuf*> lent(const rte_mempool& pool) const;

 private:
  struct Ring {
    std::uint32_t size = 0;  // a power of two
    const std::uint32_t* producer = nullptr;
    const std::uint32_t* consumer = nullptr;
    const std::byte* entries = nullptr;
    [[nodiscard]] std::uint32_t produced() const noexcept;
    [[nodiscard]] std::uint32_t used() const noexcept;
  };
  [[nodiscard]] static Ring find_ring(const std::vector<MappedRange>& mapped, const xdp_ring_offset& offset,
                                      std::size_t entry, std::uint64_t page);
  // Those in its entries from number `begin` up to `end`.
  static void add_buffers(std::set<rte_mbuf*>& buffers, const rte_mempool& pool, const Ring& ring,
                          std::size_t entry, std::uint32_t begin, std::uint32_t end);
  explicit XskRings(int socket) noexcept : socket_(socket) {}

  int socket_;
  Ring receive_;
  Ring transmit_;
  Ring fill_;
  Ring completion_;
  std::uint32_t circulating_ =
      0;  // buffers in the fill and the receive ring together: the PMD posts one for each it takes
};

}  // namespace sekisho::port
