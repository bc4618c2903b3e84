// SPDX-License-Identifier: BSD-3-Clause
// The packet buffers: a pool that AF_XDP ports and NICs share, so that a frame may come in by one and go out by the other.
//
// AF_XDP needs one dense piece of memory: net_af_xdp 22.11 gives the kernel as much as the buffers would fill without gaps;
// rte_pktmbuf_pool_create() leaves gaps at page boundaries (with 4 KB pages nearly half of it), and a buffer behind the end
// of what the kernel was given loses its frame. A NIC needs each buffer's IOVA and the whole buffer behind it: where that is a
// physical address, the few buffers that lie across two pages are taken out of circulation.
//
// Consecutive packets lie on different pages. Of 4 KB ones more are on their way than the TLB has entries, and forwarding takes
// a third longer than in huge pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct rte_mempool;

namespace sekisho::port {

enum class PoolMemory {
  dpdk,  // that which DPDK took when it started, and which it makes known to devices that read and write it by themselves
  own,  // for ports that do not: in transparent hugepages as far as the kernel has them, else in 4 KB pages. Its IOVAs are
        // its addresses
};

// The longest packet, in bytes of IPv4, that a buffer of usual size takes on an AF_XDP port; the longest that one of a page does, since
// AF_XDP allows no larger ones; and the longest for which there are larger ones, for NICs that put a frame into one buffer alone.
inline constexpr std::uint16_t usual_mtu = 1'774;
inline constexpr std::uint16_t most_af_xdp_mtu = 3'498;
inline constexpr std::uint16_t most_mtu = 9'000;

// Hardly ever does anybody wait for a thread that has lost its CPU in the middle of taking or returning (the host thread
// shares one): only who has got far ahead of it.
// rte_mempool_free() frees it; nullptr and rte_errno if there is no memory. `mtu`: for packets as long as this, and usual ones.
[[nodiscard]] rte_mempool* make_packet_pool(const std::string& name, unsigned buffers, unsigned cache,
                                            int socket, PoolMemory memory, std::uint16_t mtu = usual_mtu);
// Of such a buffer, in the pool's memory.
[[nodiscard]] std::size_t buffer_bytes(std::uint16_t mtu) noexcept;

// The pages that the kernel has given to the pool's memory, as it says now.
struct PoolPages {
  std::uint64_t bytes = 0;  // of all; 0: the kernel does not say
  std::uint64_t reserved = 0;
  std::uint64_t transparent = 0;
  [[nodiscard]] std::uint64_t small() const noexcept { return bytes - reserved - transparent; }
};
[[nodiscard]] PoolPages pages_of(const rte_mempool& pool);

}  // namespace sekisho::port
