// SPDX-License-Identifier: BSD-3-Clause
// What a counter of dropped packets means, as a sentence.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sekisho::serve {

// Sorted as the dataplane lists them.
[[nodiscard]] std::span<const std::string_view> dataplane_reasons() noexcept;
// ICMP errors that the dataplane may send about a packet, by name.
[[nodiscard]] std::span<const std::string_view> icmp_errors() noexcept;
// Empty for a name that this version does not know (a newer dataplane's).
[[nodiscard]] std::string_view sentence_of(std::string_view reason) noexcept;

// Why the dataplane drops what is for this address before it asks any table; empty: it does not.
[[nodiscard]] std::string_view reason_before_tables(std::uint32_t destination) noexcept;

// What the steering program of an AF_XDP port did with the frames of one of its counters.
enum class SteerVerdict { redirected, passed, dropped };
[[nodiscard]] SteerVerdict steer_verdict(std::string_view counter) noexcept;

}  // namespace sekisho::serve
