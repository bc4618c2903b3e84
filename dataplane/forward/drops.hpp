// SPDX-License-Identifier: BSD-3-Clause
// What a burst loses: collected on the way, counted and freed in bulk at its end. What is for this appliance's own kernel is
// found here, where it would be lost.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/drop_reason.hpp"
#include "dataplane/forward/to_host.hpp"

namespace sekisho::forward {

class Drops {
 public:
  Drops() = default;
  Drops(const ForwardingState& state, PortIndex ingress) noexcept : to_host_(state, ingress) {}

  // Unless it is for this appliance's kernel, which gets it.
  void add(rte_mbuf* mbuf, DropReason reason) noexcept {
    if (const auto death = to_host_.take(mbuf, reason)) {
      drop(mbuf, *death);
    }
  }

  // Once, when the burst is through. A drop is the ingress port's, whatever stage found it.
  void settle(PortCounters& ingress) noexcept {
    for (rte_mbuf* const mbuf : to_host_.settle(ingress)) {
      drop(mbuf, DropReason::host_full);
    }
    if (count_ == 0) {
      return;
    }
    for (std::size_t reason = 0; reason < drop_reason_count; ++reason) {
      if (reasons_[reason] != 0) {
        ingress.drops[reason].add(reasons_[reason]);
      }
    }
    rte_pktmbuf_free_bulk(mbufs_.data(), count_);
  }

 private:
  void drop(rte_mbuf* mbuf, DropReason reason) noexcept {
    mbufs_[count_++] = mbuf;
    ++reasons_[static_cast<std::size_t>(reason)];
  }

  unsigned count_ = 0;
  std::array<std::uint8_t, drop_reason_count> reasons_{};
  std::array<rte_mbuf*, burst_capacity> mbufs_;
  ToHost to_host_;
};

}  // namespace sekisho::forward
