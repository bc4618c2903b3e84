// The IPv4 header checksum: verified in full on arrival, then only adjusted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/packet/bytes.hpp"

namespace sekisho::packet {

// One's complement sum of 16-bit words, from a sum of 32-bit ones; in either byte order (RFC 1071, 2(B)).
[[nodiscard]] inline std::uint16_t fold(std::uint64_t sum) noexcept {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

// `size` is a multiple of 4, at least 20. The checksum is right when the sum with it is all ones.
[[nodiscard]] inline bool checksum_holds(const std::uint8_t* header, std::size_t size) noexcept {
  std::uint64_t sum = std::uint64_t{load_native32(header)} + load_native32(header + 4) +
                      load_native32(header + 8) + load_native32(header + 12) + load_native32(header + 16);
  for (std::size_t at = 20; at < size; at += 4) {
    sum += load_native32(header + at);
  }
  return fold(sum) == 0xffff;
}

// Of a header that had a right checksum and a TTL above 0.
//
// RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m'). The word m holds TTL and protocol, m' = m - 0x0100, hence
// ~m + m' = 0xfeff whatever m was. Unlike eqn. 4 and RFC 1141 this never turns a sum of 0x0000 into 0xffff:
// ~HC + 0xfeff is not zero, so its fold is not, and HC' is not 0xffff.
inline void decrement_ttl(std::uint8_t* header) noexcept {
  --header[8];
  const std::uint32_t sum = (load_be16(header + 10) ^ 0xffffU) + 0xfeffU;
  store_be16(header + 10, static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16))));
}

}  // namespace sekisho::packet
