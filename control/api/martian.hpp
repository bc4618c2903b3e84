// Addresses that the dataplane refuses before it asks any table (RFC 1812 5.3.7, RFC 6890).
#pragma once

#include <cstdint>

namespace sekisho::api {

[[nodiscard]] constexpr bool multicast(std::uint32_t address) noexcept {
  return address >> 28 == 0xe || address == 0xffffffff;
}
[[nodiscard]] constexpr bool martian_destination(std::uint32_t address) noexcept {
  return address >> 24 == 0 || address >> 24 == 127 || (address >> 28 == 0xf && address != 0xffffffff);
}
[[nodiscard]] constexpr bool martian_source(std::uint32_t address) noexcept {
  return martian_destination(address) || multicast(address);
}

}  // namespace sekisho::api
