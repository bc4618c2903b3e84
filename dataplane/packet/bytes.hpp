// SPDX-License-Identifier: BSD-3-Clause
// Numbers in network byte order at any address: a frame gives no alignment, least of all behind a 14-byte
// header.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace sekisho::packet {

static_assert(std::endian::native == std::endian::little, "the swaps below are meant for little endian");

[[nodiscard]] inline std::uint16_t load_be16(const std::uint8_t* bytes) noexcept {
  std::uint16_t value;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap16(value);
}

[[nodiscard]] inline std::uint32_t load_be32(const std::uint8_t* bytes) noexcept {
  std::uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap32(value);
}

// As it lies in memory, for sums that do not care about the byte order.
[[nodiscard]] inline std::uint32_t load_native32(const std::uint8_t* bytes) noexcept {
  std::uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

[[nodiscard]] inline std::uint64_t load_native64(const std::uint8_t* bytes) noexcept {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

inline void store_be16(std::uint8_t* bytes, std::uint16_t value) noexcept {
  value = __builtin_bswap16(value);
  std::memcpy(bytes, &value, sizeof value);
}

}  // namespace sekisho::packet
