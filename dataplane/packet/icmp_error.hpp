// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors (RFC 792), built from the packet that they are about: what there is to say, of which packets it may be said, and the
// bytes. Knows nothing of when to say it (decide/answer.hpp) or how often (forward/answering.hpp).
//
// An error is one line here: its name (as counters, JSON and the CLI show it), type, code, and what an operator reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/packet/ethernet.hpp"
#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

// clang-format off
#define SEKISHO_ICMP_ERRORS(ERROR)                                                     \
  ERROR(net_unreachable,       3,  0, "network unreachable")                           \
  ERROR(host_unreachable,      3,  1, "host unreachable")                              \
  ERROR(fragmentation_needed,  3,  4, "fragmentation needed")                          \
  ERROR(prohibited,            3, 13, "communication administratively prohibited")     \
  ERROR(time_exceeded,        11,  0, "time exceeded")                                 \
  ERROR(parameter_problem,    12,  0, "parameter problem")
// clang-format on

enum class IcmpError : std::uint8_t {
#define ERROR(name, type, code, sentence) name,
  SEKISHO_ICMP_ERRORS(ERROR)
#undef ERROR
};

struct IcmpErrorText {
  std::string_view name;
  std::uint8_t type;
  std::uint8_t code;
  std::string_view sentence;
};

inline constexpr auto icmp_error_texts = std::to_array<IcmpErrorText>({
#define ERROR(name, type, code, sentence) {#name, type, code, sentence},
    SEKISHO_ICMP_ERRORS(ERROR)
#undef ERROR
});
inline constexpr std::size_t icmp_error_count = icmp_error_texts.size();
[[nodiscard]] constexpr const IcmpErrorText& text_of(IcmpError error) noexcept {
  return icmp_error_texts[static_cast<std::size_t>(error)];
}

inline constexpr std::size_t icmp_header_size = 8;

// RFC 1812, 4.3.2.3: "the ICMP datagram SHOULD contain as much of the original datagram as possible without the length of the
// ICMP datagram exceeding 576 bytes."
inline constexpr std::size_t icmp_error_maximum = 576;
inline constexpr std::size_t quote_maximum = icmp_error_maximum - ipv4_header_minimum - icmp_header_size;

// Whether the packet is of those that an error may be about, as far as its own bytes say; its addresses are decide/answer.hpp's.
// `readable` bytes can be read from the valid header on.
[[nodiscard]] bool may_be_answered(Ipv4View ip, std::size_t readable) noexcept;

struct IcmpMessage {
  IcmpError error{};
  std::uint32_t from = 0;    // the sender's own address
  std::uint16_t mtu = 0;     // of the next hop, with fragmentation_needed
  std::uint8_t pointer = 0;  // to the octet of the header that is wrong, with parameter_problem
};

// Writes the datagram, at most icmp_error_maximum bytes, and returns its length. `quote` is the beginning of the packet
// that it is about, `quoted` bytes of it: a valid IPv4 header at least, none of its padding.
std::size_t build_icmp_error(const IcmpMessage& message, const std::uint8_t* quote, std::size_t quoted,
                             std::uint8_t* out) noexcept;

}  // namespace sekisho::packet
