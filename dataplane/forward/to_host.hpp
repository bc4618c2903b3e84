// SPDX-License-Identifier: BSD-3-Clause
// What a burst has for this appliance's own kernel. All of it is found among what would be dropped (drops.hpp), so that transit
// pays nothing for it: ARP, broadcast, what comes for an own address from whom no zone knows.
//
// On a port that DPDK owns this is what steering does for an AF_XDP port (steer/steer.bpf.c); there only next hops lead here.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "common/base/special_address.hpp"
#include "dataplane/forward/burst.hpp"
#include "dataplane/forward/counters.hpp"
#include "dataplane/forward/drop_reason.hpp"
#include "dataplane/forward/forwarding_state.hpp"
#include "dataplane/forward/verdict.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::forward {

// An IP packet without its Ethernet header goes to the exit, a whole frame to the companion.
[[nodiscard]] inline bool is_bare_packet(const rte_mbuf& mbuf) noexcept {
  return mbuf.packet_type == RTE_PTYPE_L3_IPV4;
}

class ToHost {
 public:
  ToHost() noexcept : port_(nowhere), exit_mtu_(0) {}
  ToHost(const ForwardingState& state, PortIndex ingress) noexcept
      : port_(state.host[ingress]), exit_mtu_(state.exit_mtu) {}

  // `reason` is what the frame would be dropped for. Empty: it is the kernel's. Else what it dies of.
  [[nodiscard]] std::optional<DropReason> take(rte_mbuf* mbuf, DropReason reason) noexcept {
    switch (reason) {
      case DropReason::no_host_companion:
        return take_own(mbuf);
      case DropReason::no_exit:
        return take_leaving(mbuf);
      case DropReason::martian_source:  // DHCP asks from 0.0.0.0
      case DropReason::martian_destination:
      case DropReason::link_broadcast:
      case DropReason::multicast:
      case DropReason::source_route:
      case DropReason::unknown_source:
      case DropReason::spoofed_source:
        return port_.companion ? take_for_kernel(mbuf, reason) : reason;
      default:
        return reason;
    }
  }

  // Once, when the burst is through. Those for which the ring had no room.
  [[nodiscard]] std::span<rte_mbuf* const> settle(PortCounters& ingress) noexcept {
    if (count_ == 0) {
      return {};
    }
    const unsigned queued =
        rte_ring_enqueue_burst(port_.ring, reinterpret_cast<void**>(mbufs_.data()), count_, nullptr);
    ingress.host.add(queued);
    return {mbufs_.data() + queued, count_ - queued};
  }

 private:
  static std::uint8_t* header_of(const rte_mbuf* mbuf) noexcept {
    return rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, packet::ethernet_header_size);
  }

  // Anybody may send to a group or to all, as who asks by DHCP does before it has an address.
  std::optional<DropReason> take_for_kernel(rte_mbuf* mbuf, DropReason reason) noexcept {
    const packet::Ipv4View ip(header_of(mbuf));
    const std::uint32_t destination = ip.destination();
    if (!base::multicast(destination) && destination != 0xffff'ffff) {
      if (!is_local(port_, destination)) {
        return reason;
      }
      if (const auto refused = refusal_by_host(port_, ip.source())) {
        return refused;
      }
    }
    return add_frame(mbuf);
  }

  std::optional<DropReason> add(rte_mbuf* mbuf, std::uint32_t type) noexcept {
    mbuf->packet_type = type;
    mbufs_[count_++] = mbuf;
    return std::nullopt;
  }
  std::optional<DropReason> add_frame(rte_mbuf* mbuf) noexcept { return add(mbuf, RTE_PTYPE_L2_ETHER); }
  std::optional<DropReason> add_packet(rte_mbuf* mbuf) noexcept {
    rte_pktmbuf_adj(mbuf, packet::ethernet_header_size);
    return add(mbuf, RTE_PTYPE_L3_IPV4);
  }

  // ARP, or a route that says that the destination is this appliance's. The kernel of an AF_XDP port has its ARP from
  // steering; the address of another port it gets through the exit's interface.
  std::optional<DropReason> take_own(rte_mbuf* mbuf) noexcept {
    if (port_.companion) {
      return add_frame(mbuf);
    }
    const packet::EthernetView ethernet(rte_pktmbuf_mtod(mbuf, const std::uint8_t*));
    if (exit_mtu_ != 0 && port_.ring != nullptr && ethernet.type() == packet::EtherType::ipv4) {
      return add_packet(mbuf);
    }
    return DropReason::no_host_companion;
  }

  // A hop before the kernel's own.
  std::optional<DropReason> take_leaving(rte_mbuf* mbuf) noexcept {
    if (exit_mtu_ == 0 || port_.ring == nullptr) {
      return DropReason::no_exit;
    }
    const packet::Ipv4View ip(header_of(mbuf));
    if (ip.ttl() <= 1) {
      return DropReason::ttl_expired;
    }
    if (ip.total_length() > exit_mtu_) {
      return DropReason::mtu_exceeded;
    }
    packet::decrement_ttl(header_of(mbuf));
    return add_packet(mbuf);
  }

  static inline const HostPort nowhere{};

  const HostPort& port_;
  const std::uint16_t exit_mtu_;
  unsigned count_ = 0;
  std::array<rte_mbuf*, burst_capacity> mbufs_;
};

// Whether a packet that a HOST route sends to the kernel gets there from a port, or without one, from some.
[[nodiscard]] inline bool reaches_host(const ForwardingState& state, std::optional<PortIndex> port) noexcept {
  const auto reaches = [&](const HostPort& from) {
    return from.companion || (state.exit_mtu != 0 && from.ring != nullptr);
  };
  return port ? reaches(state.host[*port]) : std::ranges::any_of(state.host, reaches);
}

}  // namespace sekisho::forward
