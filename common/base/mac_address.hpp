// SPDX-License-Identifier: BSD-3-Clause
// The address of a station on an Ethernet.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sekisho::base {

using MacAddress = std::array<std::uint8_t, 6>;

// "02:00:00:00:00:01", a station's: no group's, and not all zero. The error is half a sentence.
[[nodiscard]] auto parse_mac(std::string_view text) -> tl::expected<MacAddress, std::string>;
[[nodiscard]] auto mac_to_string(const MacAddress& mac) -> std::string;

}  // namespace sekisho::base
