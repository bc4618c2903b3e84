// SPDX-License-Identifier: BSD-3-Clause
// A frame made shorter: what follows a datagram is no part of it.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

namespace sekisho::forward {

// Takes off what follows the first `size` bytes, in whatever segment it begins.
inline void trim(rte_mbuf* mbuf, std::uint32_t size) noexcept {
  mbuf->pkt_len = size;
  mbuf->nb_segs = 1;
  rte_mbuf* last = mbuf;
  while (size > last->data_len) {
    size -= last->data_len;
    last = last->next;
    ++mbuf->nb_segs;
  }
  last->data_len = static_cast<std::uint16_t>(size);
  rte_pktmbuf_free(last->next);
  last->next = nullptr;
}

}  // namespace sekisho::forward
