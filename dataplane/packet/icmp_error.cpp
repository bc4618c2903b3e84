// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/icmp_error.hpp"

#include <algorithm>
#include <cstring>

#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/checksum.hpp"
#include "dataplane/packet/flow_hash.hpp"

namespace sekisho::packet {
namespace {

// The last type of which it is known what it asks or tells: what is newer is nobody's to complain of, as Linux has it.
constexpr std::uint8_t last_known_icmp_type = 18;

// RFC 1812, 4.3.2.5: errors "SHOULD have their precedence field set to 6 (INTERNETWORK CONTROL) or 7 (NETWORK CONTROL)" and
// "SHOULD have their TOS bits set to the same value as the packet that provoked the sending of the ICMP message." Of the old TOS bits
// one belongs to ECN now (RFC 3168) and is left out.
constexpr std::uint8_t internetwork_control = 0xc0;
constexpr std::uint8_t tos_bits = 0x1c;

constexpr std::uint8_t own_ttl = 64;
constexpr std::uint16_t dont_fragment = 0x4000;

void store_be32(std::uint8_t* bytes, std::uint32_t value) noexcept {
  store_be16(bytes, static_cast<std::uint16_t>(value >> 16));
  store_be16(bytes + 2, static_cast<std::uint16_t>(value));
}

}  // namespace

bool may_be_answered(Ipv4View ip, std::size_t readable) noexcept {
  // RFC 1812, 4.3.2.7: "An ICMP error message MUST NOT be sent as the result of receiving: [...] Any fragment of a datagram other
  // then the first fragment (i.e., a packet for which the fragment offset in the IP header is nonzero)."
  if (ip.fragment_offset() != 0) {
    return false;
  }
  // "An ICMP error message". One whose type does not show, or is not known, might be one.
  if (ip.protocol() == Protocol::icmp) {
    const std::size_t end = std::min<std::size_t>(readable, ip.total_length());
    if (end <= ip.header_size()) {
      return false;
    }
    const std::uint8_t type = ip.data()[ip.header_size()];
    return type <= last_known_icmp_type && !quotes(type);
  }
  return true;
}

std::size_t build_icmp_error(const IcmpMessage& message, const std::uint8_t* quote, std::size_t quoted,
                             std::uint8_t* out) noexcept {
  const auto& [name, type, code, sentence] = text_of(message.error);
  const Ipv4View about(quote);
  quoted = std::min(quoted, quote_maximum);
  const std::size_t length = ipv4_header_minimum + icmp_header_size + quoted;

  std::memset(out, 0, ipv4_header_minimum + icmp_header_size);
  out[0] = 0x45;
  out[1] = internetwork_control | (quote[1] & tos_bits);
  store_be16(out + 2, static_cast<std::uint16_t>(length));
  // RFC 6864, 4.1: of what is never fragmented "originating sources MAY set the IPv4 ID field [...] to any value".
  store_be16(out + 6, dont_fragment);
  out[8] = own_ttl;
  out[9] = static_cast<std::uint8_t>(Protocol::icmp);
  store_be32(out + 12, message.from);
  store_be32(out + 16, about.source());
  set_header_checksum(out);

  std::uint8_t* const icmp = out + ipv4_header_minimum;
  icmp[0] = type;
  icmp[1] = code;
  if (message.error == IcmpError::fragmentation_needed) {
    // RFC 1191, 4: the router "MUST include the MTU of that next-hop network in the low-order 16 bits of the ICMP header field that
    // is labelled "unused"".
    store_be16(icmp + 6, message.mtu);
  }
  if (message.error == IcmpError::parameter_problem) {
    // RFC 792: "If code = 0, identifies the octet where an error was detected."
    icmp[4] = message.pointer;
  }
  // RFC 1812, 4.3.2.3: "The returned IP header (and user data) MUST be identical to that which was received".
  std::memcpy(icmp + icmp_header_size, quote, quoted);
  const std::uint16_t sum = checksum(icmp, icmp_header_size + quoted);
  std::memcpy(icmp + 2, &sum, sizeof sum);
  return length;
}

}  // namespace sekisho::packet
