// SPDX-License-Identifier: BSD-3-Clause
// IPv4 prefixes and addresses as the whole project uses them: host byte order, no host bits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sekisho::base {

struct Prefix {
  std::uint32_t address = 0;  // host byte order; the bits behind `length` are zero
  std::uint8_t length = 0;    // 0..32

  // Sorts a prefix before everything it covers, so that a sorted table is a walk of the tree in pre-order.
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

  [[nodiscard]] constexpr std::uint32_t mask() const noexcept {
    return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
  }
  [[nodiscard]] constexpr std::uint32_t last() const noexcept { return address | ~mask(); }
  [[nodiscard]] constexpr bool covers(std::uint32_t other) const noexcept {
    return (other & mask()) == address;
  }
  [[nodiscard]] constexpr bool covers(Prefix other) const noexcept {
    return other.length >= length && covers(other.address);
  }
};

// The reason of a refusal, as half a sentence: "host bits are set (10.0.0.1/8; did you mean 10.0.0.0/8?)".
using ParseError = std::string;

// "10.0.0.0/8". A missing length, host bits, leading zeros, spaces and anything behind are refused.
[[nodiscard]] auto parse_prefix(std::string_view text) -> tl::expected<Prefix, ParseError>;
// "10.0.0.1", four decimal parts without leading zeros.
[[nodiscard]] auto parse_address(std::string_view text) -> tl::expected<std::uint32_t, ParseError>;

[[nodiscard]] auto to_string(Prefix prefix) -> std::string;
[[nodiscard]] auto address_to_string(std::uint32_t address) -> std::string;

}  // namespace sekisho::base
