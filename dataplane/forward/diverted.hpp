// SPDX-License-Identifier: BSD-3-Clause
// What a burst does not forward: collected on the way, and at its end counted, given to the host thread or freed in bulk.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/decide/verdict.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/worker_data.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"

namespace sekisho::forward {

// An IP packet without its Ethernet header goes to the exit's interface, a whole frame to the companion.
[[nodiscard]] inline bool is_bare_packet(const rte_mbuf& mbuf) noexcept {
  return mbuf.packet_type == RTE_PTYPE_L3_IPV4;
}

class Diverted {
 public:
  // Whether ICMP errors are sent.
  enum class Senders : bool { not_told, told };

  explicit Diverted(const Answering::Place& place, Senders senders = Senders::told) noexcept
      : place_{place}, port_{place.state.host[place.ingress.port]}, senders_{senders} {}

  // Of a frame that is not forwarded.
  void add(rte_mbuf* mbuf, Verdict verdict) noexcept {
    std::optional<packet::IcmpError> told;
    switch (verdict.kind()) {
      case Verdict::Kind::forward:
      case Verdict::Kind::forward_in_fragments:
      case Verdict::Kind::to_exit_in_fragments:
        assert(false);
        break;
      case Verdict::Kind::to_kernel:
        port_.companion ? give(mbuf, RTE_PTYPE_L2_ETHER) : give_bare(mbuf);
        break;
      case Verdict::Kind::to_exit:
        packet::decrement_ttl(rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, packet::ethernet_header_size));
        give_bare(mbuf);
        break;
      case Verdict::Kind::drop:
        if (senders_ == Senders::told) {
          if (const auto error = place_.state.icmp.answer_to(verdict)) {
            told = place_.own.answering.answer(place_, *mbuf, *error, verdict.mtu()) ? error : std::nullopt;
          }
        }
        drop(mbuf, verdict.reason());
        break;
    }
    if (auto* const tracing = tracing_of(place_.state, place_.own.index)) [[unlikely]] {
      tracing->decided(mbuf, verdict, told);
    }
  }

  // A packet of our own, behind an Ethernet header, for who sent us one by the exit.
  void give_back(rte_mbuf* mbuf) noexcept { give_bare(mbuf); }

  // Once, when the burst is through. A drop is the ingress port's, whatever stage found it.
  void settle() noexcept {
    auto& ingress = place_.own.counters.ports[place_.ingress.port];
    if (given_ != 0) {
      const unsigned queued =
          rte_ring_enqueue_burst(port_.ring, reinterpret_cast<void**>(to_host_.data()), given_, nullptr);
      ingress.host.add(queued);
      for (unsigned at = queued; at < given_; ++at) {
        if (is_bare_packet(*to_host_[at])) {
          rte_pktmbuf_prepend(to_host_[at], packet::ethernet_header_size);  // it is still there
        }
        if (auto* const tracing = tracing_of(place_.state, place_.own.index)) {
          tracing->decided(to_host_[at], DropReason::host_full);
        }
        drop(to_host_[at], DropReason::host_full);
      }
    }
    if (dropped_ == 0) {
      return;
    }
    for (unsigned at = 0; at < dropped_; ++at) {
      ingress.drops[static_cast<std::size_t>(reasons_[at])].add(1);
    }
    const std::span<rte_mbuf* const> frames{drops_.data(), dropped_};
    const std::span<const DropReason> reasons{reasons_.data(), dropped_};
    place_.own.last_drops.note(place_.ingress, frames, reasons);
    if (place_.state.capture != nullptr) [[unlikely]] {
      place_.state.capture->dropped(place_.own.index, place_.ingress.port, frames, reasons);
    }
    rte_pktmbuf_free_bulk(drops_.data(), dropped_);
    if (senders_ == Senders::told) {
      place_.own.answering.send(place_);
    }
  }

 private:
  void drop(rte_mbuf* mbuf, DropReason reason) noexcept {
    drops_[dropped_] = mbuf;
    reasons_[dropped_++] = reason;
  }
  void give(rte_mbuf* mbuf, std::uint32_t form) noexcept {
    mbuf->packet_type = form;
    to_host_[given_++] = mbuf;
  }
  void give_bare(rte_mbuf* mbuf) noexcept {
    rte_pktmbuf_adj(mbuf, packet::ethernet_header_size);
    give(mbuf, RTE_PTYPE_L3_IPV4);
  }

  const Answering::Place place_;
  const HostPort& port_;
  const Senders senders_;
  unsigned dropped_ = 0;
  unsigned given_ = 0;
  std::array<DropReason, burst_capacity> reasons_;
  std::array<rte_mbuf*, burst_capacity> drops_;
  std::array<rte_mbuf*, burst_capacity> to_host_;
};

}  // namespace sekisho::forward
