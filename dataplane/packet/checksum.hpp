// SPDX-License-Identifier: BSD-3-Clause
// The IPv4 header checksum: verified in full on arrival, then only adjusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Of bytes whose own checksum field is zero; as it lies in memory.
[[nodiscard]] inline std::uint16_t checksum(const std::uint8_t* bytes, std::size_t size) noexcept {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 4 <= size; at += 4) {
    sum += load_native32(bytes + at);
  }
  std::uint32_t rest = 0;
  std::memcpy(&rest, bytes + at, size - at);
  return static_cast<std::uint16_t>(~fold(sum + rest));
}

// Of bytes of which one word changes. RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m').
[[nodiscard]] inline std::uint16_t replaced_in_checksum(std::uint16_t checksum, std::uint16_t before,
                                                        std::uint16_t after) noexcept {
  const auto not_checksum = static_cast<std::uint16_t>(~checksum);
  const auto not_before = static_cast<std::uint16_t>(~before);
  return static_cast<std::uint16_t>(~fold(std::uint64_t{not_checksum} + not_before + after));
}

// Of a header whose checksum says nothing yet.
inline void set_header_checksum(std::uint8_t* header) noexcept {
  std::memset(header + 10, 0, 2);
  const std::uint16_t sum = checksum(header, (header[0] & 0x0fU) * 4U);
  std::memcpy(header + 10, &sum, sizeof sum);
}

// Of a header that had a right checksum and a TTL above 0.
//
// RFC 1624, eqn. 3: HC' = ~(~HC + ~m + m'). The word m holds TTL and protocol and m' = m - 0x0100, so that ~m + m' is
// ~0x0100 whatever m was: HC' is the one's complement sum HC + 0x0100, save that a sum of all ones (0xfeff + 0x0100) is
// written as 0. Unlike eqn. 4 and RFC 1141 this never leaves 0xffff.
//
// Read as little endian, the word that holds TTL, protocol and checksum (upper half) needs one addition: the TTL falls
// by 1 as 0x10000 - 1 is added, which adds 1 to the swapped checksum (RFC 1071, 2(B)); 1 more where the sum is all
// ones (0xfffe + 1) or carries (0xffff + 1).
inline void decrement_ttl(std::uint8_t* header) noexcept {
  std::uint32_t word = load_native32(header + 8);
  word += 0xffffU + (word >= 0xfffe'0000U ? 0x1'0000U : 0U);
  std::memcpy(header + 8, &word, sizeof word);
}

}  // namespace sekisho::packet
