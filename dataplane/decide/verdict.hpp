// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a packet, and the questions that decide it, one function each. The burst pipeline asks them for what leaves its
// straight path, decide.hpp for a single packet: what an operator is told is what workers do.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/special_address.hpp"
#include "dataplane/decide/drop_reason.hpp"
#include "dataplane/decide/host_sources.hpp"

struct rte_ring;

namespace sekisho::decide {

class Verdict {
 public:
  enum class Kind : std::uint8_t {
    forward,
    forward_in_fragments,
    to_kernel,  // this appliance's own: what is for it
    to_exit,    // the kernel, to masquerade and send it out
    to_exit_in_fragments,
    drop,
  };

  static constexpr Verdict forward() noexcept { return Verdict{Kind::forward}; }
  static constexpr Verdict forward_in_fragments() noexcept { return Verdict{Kind::forward_in_fragments}; }
  static constexpr Verdict to_kernel() noexcept { return Verdict{Kind::to_kernel}; }
  static constexpr Verdict to_exit() noexcept { return Verdict{Kind::to_exit}; }
  static constexpr Verdict to_exit_in_fragments() noexcept { return Verdict{Kind::to_exit_in_fragments}; }
  // A drop as mtu_exceeded; the sender is told the MTU.
  static constexpr Verdict too_long(std::uint16_t mtu) noexcept {
    Verdict verdict{DropReason::mtu_exceeded};
    verdict.mtu_ = mtu;
    return verdict;
  }
  constexpr Verdict(DropReason reason) noexcept
      : kind_{Kind::drop}, reason_{reason} {}  // a reason is a verdict

  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  // Of a drop.
  [[nodiscard]] constexpr DropReason reason() const noexcept {
    assert(kind_ == Kind::drop);
    return reason_;
  }
  // Empty unless it is a drop.
  [[nodiscard]] constexpr std::optional<DropReason> drop() const noexcept {
    return kind_ == Kind::drop ? std::optional{reason_} : std::nullopt;
  }
  [[nodiscard]] constexpr std::uint16_t mtu() const noexcept { return mtu_; }  // of too_long()
  friend constexpr bool operator==(Verdict, Verdict) = default;

 private:
  explicit constexpr Verdict(Kind kind) noexcept : kind_{kind} {}
  Kind kind_;
  DropReason reason_{};
  std::uint16_t mtu_ = 0;
};

// What an adjacency, or a next hop without members, does with a packet.
enum class Action : std::uint8_t {
  no_route,    // nothing in the table covers the destination
  drop,        // a route says so (an Azure route of type None)
  host,        // for this appliance's own kernel
  group_down,  // the next hop has members and none is alive
  exit,        // for the kernel to masquerade and send out
  connected,   // the destination is its own neighbour, and not resolved (forward/wanted.hpp)
  unresolved,  // an adjacency without a MAC, or that is not alive
  forward,     // send it
};

// How a worker reaches the kernel with what came in by a port.
//
// What is for `local` is the kernel's if `sources` allow it: on a port with a companion workers see to that, on a steered one
// steering does, before any worker sees the frame.
struct HostPort {
  rte_ring* ring = nullptr;   // to the host thread; null: the port does not run
  bool companion = false;     // the kernel has an interface with this port's MAC: whole frames go there
  bool steered = false;       // an AF_XDP port
  std::uint32_t address = 0;  // the port's primary one, which ICMP errors come from; 0: none
  std::vector<std::uint32_t> local;            // sorted; addresses that are the kernel's there
  std::shared_ptr<const HostSources> sources;  // null: nobody's packets
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Whether the kernel has the address on this port.
[[nodiscard]] inline bool is_local(const HostPort& port, std::uint32_t address) noexcept {
  return std::ranges::binary_search(port.local, address);
}

// Why the kernel gets no packet of this source by the port.
[[nodiscard]] inline std::optional<DropReason> refusal_by_host(const HostPort& port,
                                                               std::uint32_t source) noexcept {
  switch (port.sources == nullptr ? SourceVerdict::unknown : port.sources->of(source)) {
    case SourceVerdict::allowed:
      return std::nullopt;
    case SourceVerdict::spoofed:
      return DropReason::spoofed_source;
    case SourceVerdict::martian:
      return DropReason::martian_source;
    case SourceVerdict::unknown:
      break;
  }
  return DropReason::unknown_source;
}

// Of a valid packet that is not routed, for `reason`: on a port with a companion it may be the kernel's. Anybody may send to a
// group or to all, as who asks by DHCP does before it has an address.
[[nodiscard]] inline Verdict unrouted(DropReason reason, const HostPort& port, std::uint32_t source,
                                      std::uint32_t destination) noexcept {
  if (!port.companion) {
    return reason;
  }
  if (!base::multicast(destination) && destination != 0xffff'ffff) {
    if (!is_local(port, destination)) {
      return reason;
    }
    if (const auto refused = refusal_by_host(port, source)) {
      return *refused;
    }
  }
  return Verdict::to_kernel();
}

// The ways to the kernel, besides dropping.
struct WaysToKernel {
  bool companion = false;      // whole frames
  std::uint16_t exit_mtu = 0;  // bare packets by the exit's interface; 0: it is not there
};
[[nodiscard]] inline WaysToKernel ways_to_kernel(const HostPort& port, std::uint16_t exit_mtu) noexcept {
  return {.companion = port.companion, .exit_mtu = port.ring == nullptr ? std::uint16_t{0} : exit_mtu};
}

// Where a packet's next hop has led.
struct Egress {
  Action action = Action::no_route;
  bool runs = false;      // the port of one that forwards
  std::uint16_t mtu = 0;  // of that port, bytes of IPv4
};

// What a packet says of itself that matters to whoever sends it on.
struct Datagram {
  std::uint8_t ttl = 64;
  std::uint32_t length = 0;  // bytes of IPv4
  bool dont_fragment = false;
  std::uint8_t header_size = 20;
  std::uint16_t fragment_offset = 0;  // in units of eight bytes
};

// In so many pieces a packet is sent at most: what would need more, by a port whose MTU is tiny, is too long. From an MTU of 576 on,
// the least that a configuration may have, a packet in one buffer of 2 KB needs 4.
inline constexpr unsigned max_fragments = 8;

// A fragment lies in one buffer, of which the dataplane's smallest takes so much, whatever the port's MTU is.
inline constexpr std::uint16_t longest_fragment = 2'048;

// RFC 791, 3.2: "Every internet module must be able to forward a datagram of 68 octets without further fragmentation."
inline constexpr std::uint16_t least_mtu = 68;

// RFC 791, 3.1: the total length "allows the length of a datagram to be up to 65,535 octets", so no fragment ends
// beyond them. Divided, one that claims to would have offsets that run over into the flags, and its payload become a first fragment
// or a whole datagram, which no firewall before us has seen.
inline constexpr std::uint32_t longest_datagram = 65'535;

// RFC 791, 2.3: a fragment's data is a multiple of eight octets long, save the last one's.
[[nodiscard]] constexpr bool may_be_fragmented(const Datagram& datagram, std::uint16_t mtu) noexcept {
  return !datagram.dont_fragment && mtu >= least_mtu &&
         datagram.fragment_offset * 8U + datagram.length <= longest_datagram &&
         datagram.length - datagram.header_size <=
             (std::min(mtu, longest_fragment) - datagram.header_size) / 8U * 8U * max_fragments;
}

// Of a packet that its next hop would take. `whole` becomes `in_fragments` where the packet is too long for the MTU.
[[nodiscard]] constexpr Verdict send(const Datagram& datagram, std::uint16_t mtu, Verdict whole,
                                     Verdict in_fragments) noexcept {
  // RFC 1812, 5.3.1: "When a router forwards a packet, it MUST reduce the TTL by at least one. [...] If the TTL is reduced to
  // zero (or less), the packet MUST be discarded".
  if (datagram.ttl <= 1) {
    return DropReason::ttl_expired;
  }
  if (datagram.length <= mtu) {
    return whole;
  }
  // RFC 1812, 4.2.2.7: "Fragmentation [...] MUST be supported by a router." RFC 1191, 4: a packet that has the Don't Fragment
  // bit set is discarded instead.
  return may_be_fragmented(datagram, mtu) ? in_fragments : Verdict::too_long(mtu);
}

// The last question.
[[nodiscard]] constexpr Verdict at_egress(const Egress& egress, const WaysToKernel& kernel,
                                          const Datagram& datagram) noexcept {
  switch (egress.action) {
    case Action::forward:
      // A port that does not run takes its neighbours with it, until the groups have heard.
      if (!egress.runs) {
        return DropReason::next_hop_down;
      }
      return send(datagram, egress.mtu, Verdict::forward(), Verdict::forward_in_fragments());
    case Action::no_route:
      return DropReason::no_route;
    case Action::drop:
      return DropReason::null_route;
    case Action::host:
      // The kernel of an AF_XDP port has its own addresses from steering; another port's it gets by the exit's interface.
      return kernel.companion || kernel.exit_mtu != 0 ? Verdict::to_kernel()
                                                      : Verdict{DropReason::no_host_companion};
    case Action::exit:
      // A hop before the kernel's own.
      if (kernel.exit_mtu == 0) {
        return DropReason::no_exit;
      }
      return send(datagram, kernel.exit_mtu, Verdict::to_exit(), Verdict::to_exit_in_fragments());
    case Action::group_down:
      return DropReason::next_hop_down;
    case Action::connected:
      // RFC 1812, 5.3.1, as in send(): what ends here needs no neighbour.
      return datagram.ttl <= 1 ? DropReason::ttl_expired : DropReason::neighbour_unresolved;
    case Action::unresolved:
      break;
  }
  return DropReason::neighbour_unresolved;
}

}  // namespace sekisho::decide
