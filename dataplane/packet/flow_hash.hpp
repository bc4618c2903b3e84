// SPDX-License-Identifier: BSD-3-Clause
// Which flow a packet belongs to, as a number. Both directions of a flow give the same one, on every appliance, and so do the
// ICMP errors that somebody on its way sends: a stateful firewall wants all of them.
//
// Fragments of a flow have another number than its whole packets. What has to stay together with its fragments, and with other
// flows of the same two addresses, goes by address_hash().
//
// Steps of 32 bits only, because sixteen packets are hashed at once (plain_avx512.hpp): multiplications that a vector has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

struct Flow {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  Protocol protocol{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

// The constants are fixed: appliances of the same configuration must agree. The first two are xxHash's primes, the last one is of
// C. Wellons' lowbias32; that together they spread flows evenly is what flow_hash_test.cpp shows.
inline constexpr std::uint32_t flow_address_factor = 0x9e37'79b1;
inline constexpr std::uint32_t flow_port_factor = 0x85eb'ca77;
inline constexpr std::uint32_t flow_factor = 0x7feb'352d;

// One end of a flow, ready to be multiplied: never even, so that what the other end says is not lost.
[[nodiscard]] constexpr std::uint32_t flow_end(std::uint32_t address, std::uint16_t port) noexcept {
  const std::uint32_t end = address * flow_address_factor + port * flow_port_factor;
  return (end ^ end >> 16) | 1;
}

// Multiplying the two ends makes the hash symmetric without a comparison and, unlike adding or xoring them, tells
// flows between neighbouring addresses or equal ports apart. Where one end is counted up, the product climbs in equal steps: a
// second multiplication breaks them. The low bits, which choose a bucket, are as good as the high ones.
[[nodiscard]] constexpr std::uint32_t flow_hash(const Flow& flow) noexcept {
  const std::uint32_t ends =
      flow_end(flow.source, flow.source_port) * flow_end(flow.destination, flow.destination_port);
  const std::uint32_t all = ends + static_cast<std::uint32_t>(flow.protocol);
  const std::uint32_t hash = (all ^ all >> 15) * flow_factor;
  return hash ^ hash >> 16;
}

// Ports only where every packet of the flow shows them: not of fragments, because those behind the first have
// none and all fragments of a datagram must take one way. `readable` bytes can be read from the valid header
// on.
[[nodiscard]] inline Flow flow_of(Ipv4View ip, std::size_t readable) noexcept {
  Flow flow{ip.source(), ip.destination(), ip.protocol()};
  const bool has_ports = flow.protocol == Protocol::tcp || flow.protocol == Protocol::udp;
  const std::size_t ports_at = ip.header_size();
  // What lies behind the total length is padding.
  if (has_ports && !ip.fragment() && ports_at + 4 <= std::min<std::size_t>(readable, ip.total_length())) {
    flow.source_port = load_be16(ip.data() + ports_at);
    flow.destination_port = load_be16(ip.data() + ports_at + 2);
  }
  return flow;
}

// Of the addresses alone, whatever the protocol.
[[nodiscard]] constexpr std::uint32_t address_hash(const Flow& flow) noexcept {
  return flow_hash({flow.source, flow.destination});
}

enum class HashBy : std::uint8_t { five_tuple, addresses };
[[nodiscard]] constexpr std::uint32_t flow_hash(const Flow& flow, HashBy by) noexcept {
  return by == HashBy::addresses ? address_hash(flow) : flow_hash(flow);
}

// Those that quote the packet which they complain of (RFC 792): unreachable (also "fragmentation needed"), source quench,
// redirect, time exceeded, parameter problem.
[[nodiscard]] constexpr bool quotes(std::uint8_t icmp_type) noexcept {
  return icmp_type == 3 || icmp_type == 4 || icmp_type == 5 || icmp_type == 11 || icmp_type == 12;
}

// The flow whose way a packet takes: its own, or of an ICMP error the one that it quotes; of an error inside an error that one's
// addresses. As for flow_of(): what a fragment or a short quote does not show, the flow's own packets would not have shown, and
// fragments of an error stay together.
[[nodiscard]] inline Flow related_flow(Ipv4View ip, std::size_t readable) noexcept {
  constexpr std::size_t icmp_header_size = 8;
  const std::size_t quote_at = ip.header_size() + icmp_header_size;
  const std::size_t end = std::min<std::size_t>(readable, ip.total_length());
  const bool long_enough = end >= quote_at + ipv4_header_minimum;
  if (ip.protocol() == Protocol::icmp && !ip.fragment() && long_enough &&
      quotes(ip.data()[ip.header_size()])) {
    const Ipv4View quoted(ip.data() + quote_at);
    if (quoted.version() == 4 && quoted.header_size() >= ipv4_header_minimum) {
      return flow_of(quoted, end - quote_at);
    }
  }
  return flow_of(ip, readable);
}

}  // namespace sekisho::packet
