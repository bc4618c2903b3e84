// SPDX-License-Identifier: BSD-3-Clause
// What ICMP says to the sender of a packet that goes no further: by drop reason, as configured. The router requirements of
// RFC 1812, 4.3 and 5.2.7.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/base/special_address.hpp"
#include "dataplane/decide/verdict.hpp"
#include "dataplane/packet/icmp_error.hpp"

namespace sekisho::decide {

// Whether a packet that is dropped for this has a header that can be believed, and is for others than us: RFC 1812, 4.3.2.7 and 5.2.2
// have all else discarded in silence, and RFC 6633 whatever there is no room for.
[[nodiscard]] constexpr bool can_be_answered(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::bad_options:
    case DropReason::unknown_source:
    case DropReason::spoofed_source:
    case DropReason::no_route:
    case DropReason::null_route:
    case DropReason::next_hop_down:
    case DropReason::neighbour_unresolved:
    case DropReason::ttl_expired:
    case DropReason::mtu_exceeded:
    case DropReason::no_exit:
      return true;
    default:
      return false;
  }
}

// RFC 1812, 4.3.2.8: "A router SHOULD also be able to limit the rate at which it sends other sorts of ICMP error messages".
struct IcmpLimits {
  std::uint32_t rate = 0;             // errors a second of each worker; 0: none
  std::uint32_t rate_per_source = 0;  // of these, to each prefix of that length
  std::uint8_t source_length = 24;
  friend bool operator==(const IcmpLimits&, const IcmpLimits&) = default;
};

struct IcmpPolicy {
  std::array<std::optional<packet::IcmpError>, drop_reason_count> answers{};  // by drop reason
  IcmpLimits limits;

  [[nodiscard]] constexpr std::optional<packet::IcmpError> answer_to(DropReason reason) const noexcept {
    return answers[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] constexpr std::optional<packet::IcmpError> answer_to(Verdict verdict) const noexcept {
    return verdict.kind() == Verdict::Kind::drop ? answer_to(verdict.reason()) : std::nullopt;
  }
  constexpr void set(DropReason reason, std::optional<packet::IcmpError> answer) noexcept {
    answers[static_cast<std::size_t>(reason)] = answer;
  }
  friend bool operator==(const IcmpPolicy&, const IcmpPolicy&) = default;
};

// RFC 1812, 4.3.2.7: "An ICMP error message MUST NOT be sent as the result of receiving: [...] A packet destined to an IP broadcast
// or IP multicast address, [...] A packet whose source address has a network prefix of zero or is an invalid source address".
// Subnets' broadcast addresses are not told from others here: the table of sources knows them, as this appliance's own.
[[nodiscard]] constexpr bool may_be_told(std::uint32_t source, std::uint32_t destination) noexcept {
  return base::check_addresses(source, destination) == base::AddressFault::none;
}

}  // namespace sekisho::decide
