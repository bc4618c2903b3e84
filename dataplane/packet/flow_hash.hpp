// SPDX-License-Identifier: BSD-3-Clause
// Which flow a packet belongs to, as a number. Both directions of a flow give the same one, on every
// appliance.
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
// second multiplication breaks them. The low bits, which choose one of 256 buckets, are as good as the high ones.
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

}  // namespace sekisho::packet
