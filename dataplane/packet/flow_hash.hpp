// Which flow a packet belongs to, as a number. Both directions of a flow give the same one, on every
// appliance.
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

// The low bits are as good as the high ones. The seed is fixed: appliances of the same configuration must
// agree.
[[nodiscard]] constexpr std::uint32_t flow_hash(const Flow& flow) noexcept {
  const std::uint64_t one = std::uint64_t{flow.source} << 16 | flow.source_port;
  const std::uint64_t other = std::uint64_t{flow.destination} << 16 | flow.destination_port;
  // Ordering the two ends makes the hash symmetric and, unlike adding or xoring them, loses nothing: flows
  // between neighbouring addresses or equal ports do not fall together.
  const std::uint64_t low = std::min(one, other) | std::uint64_t{static_cast<std::uint8_t>(flow.protocol)}
                                                       << 48;
  const std::uint64_t high = std::max(one, other);
  // Two rounds of multiply and xorshift, the constants of MurmurHash3's and SplitMix64's finalisers.
  std::uint64_t hash = (low ^ 0x9e37'79b9'7f4a'7c15) * 0xff51'afd7'ed55'8ccd;
  hash ^= hash >> 32;
  hash = (hash ^ high) * 0xc4ce'b9fe'1a85'ec53;
  hash ^= hash >> 29;
  hash *= 0x94d0'49bb'1331'11eb;
  return static_cast<std::uint32_t>(hash >> 32);
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
