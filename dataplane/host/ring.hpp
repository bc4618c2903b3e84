// SPDX-License-Identifier: BSD-3-Clause
// A queue of packet buffers between a worker and the host thread. What is left in it when it goes is freed.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace sekisho::host {

class Ring {
 public:
  explicit Ring(unsigned capacity) {
    // Relaxed tail synchronisation: a host thread that loses its CPU in the middle hardly ever makes a worker wait.
    constexpr unsigned flags = RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ;
    const auto size = static_cast<std::size_t>(rte_ring_get_memsize(capacity));
    ring_.reset(static_cast<rte_ring*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size)));
    if (ring_ == nullptr || rte_ring_init(ring_.get(), "host", capacity, flags) != 0) {
      throw std::bad_alloc{};
    }
  }
  ~Ring() {
    void* buffer = nullptr;
    while (rte_ring_dequeue(ring_.get(), &buffer) == 0) {
      rte_pktmbuf_free(static_cast<rte_mbuf*>(buffer));
    }
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  [[nodiscard]] rte_ring* get() const noexcept { return ring_.get(); }

 private:
  struct Free {
    void operator()(rte_ring* ring) const noexcept { std::free(ring); }
  };
  std::unique_ptr<rte_ring, Free> ring_;
};

}  // namespace sekisho::host
