// SPDX-License-Identifier: BSD-3-Clause
// What the tests of packet/ compare with: slow, obvious, and written without a look at the room's code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace sekisho::packet::test {

using Bytes = std::vector<std::uint8_t>;

// On the heap and of exactly this size, so that AddressSanitizer sees the first byte read too many.
struct Exact {
  explicit Exact(const Bytes& bytes) : memory(new std::uint8_t[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), memory.get());
  }
  std::unique_ptr<std::uint8_t[]> memory;
};

// RFC 791, 3.1: "the 16 bit one's complement of the one's complement sum of all 16 bit words in the header.
// For purposes of computing the checksum, the value of the checksum field is zero."
inline std::uint16_t naive_checksum(const Bytes& header) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < header.size(); at += 2) {
    if (at == 10) {
      continue;
    }
    sum += static_cast<std::uint32_t>(header[at]) * 256 + header[at + 1];
    if (sum > 0xffff) {
      sum -= 0xffff;
    }
  }
  return static_cast<std::uint16_t>(0xffff - sum);
}

inline void set16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

inline void set32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  set16(bytes, at, value >> 16);
  set16(bytes, at + 2, value & 0xffff);
}

inline unsigned get16(const Bytes& bytes, std::size_t at) {
  return bytes[at] * 256U + bytes[at + 1];
}

inline void set_checksum(Bytes& header) {
  set16(header, 10, naive_checksum(header));
}

// A valid header of `words` 32-bit words, whose datagram is `total` bytes.
inline Bytes make_header(unsigned words = 5, unsigned total = 20) {
  Bytes header(words * 4U, 0);
  header[0] = static_cast<std::uint8_t>(0x40 | words);
  set16(header, 2, total);
  header[8] = 64;
  header[9] = 17;
  set32(header, 12, 0x0a000001);
  set32(header, 16, 0xc6336401);
  set_checksum(header);
  return header;
}

}  // namespace sekisho::packet::test
