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

// One end of a flow, ready to be hashed: address, port and protocol from the lowest bit on, under a seed. The seed is
// fixed: appliances of the same configuration must agree. Its highest byte is set, so that no end is 0.
using FlowEnd = std::uint64_t;
inline constexpr FlowEnd flow_seed = 0x9e37'79b9'7f4a'7c15;

[[nodiscard]] constexpr FlowEnd flow_end(std::uint32_t address, std::uint16_t port,
                                         Protocol protocol) noexcept {
  return flow_seed ^
         (std::uint64_t{static_cast<std::uint8_t>(protocol)} << 48 | std::uint64_t{port} << 32 | address);
}

// Multiplying the two ends makes the hash symmetric without a comparison and, unlike adding or xoring them, tells
// flows between neighbouring addresses or equal ports apart; folding the 128 bits is wyhash's `mum`. Where one end is
// counted up, the product climbs in equal steps: a second multiplication breaks them. The low bits, which choose one
// of 256 buckets, are as good as the high ones.
[[nodiscard]] constexpr std::uint32_t flow_hash(FlowEnd one, FlowEnd other) noexcept {
  __extension__ using Product = unsigned __int128;
  const Product product = Product{one} * other;
  std::uint64_t hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  hash = (hash ^ hash >> 32) * 0xff51'afd7'ed55'8ccd;
  return static_cast<std::uint32_t>(hash >> 32);
}

[[nodiscard]] constexpr std::uint32_t flow_hash(const Flow& flow) noexcept {
  return flow_hash(flow_end(flow.source, flow.source_port, flow.protocol),
                   flow_end(flow.destination, flow.destination_port, flow.protocol));
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
