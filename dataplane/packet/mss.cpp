// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/mss.hpp"

#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/checksum.hpp"

namespace sekisho::packet {
namespace {

constexpr std::size_t checksum_at = 16;

// RFC 9293, 3.2.
constexpr std::uint8_t end_of_list = 0;
constexpr std::uint8_t no_operation = 1;
constexpr std::uint8_t maximum_segment_size = 2;
constexpr std::uint8_t mss_option_size = 4;

// The value lies `at` bytes behind the segment's beginning. Where that is odd, each of its bytes is the other half of a word of the
// checksum, and swapping them sums up to the same (RFC 1071, 2(B)).
void replace(std::uint8_t* segment, std::size_t at, std::uint16_t before, std::uint16_t after) noexcept {
  store_be16(segment + at, after);
  const auto word = [at](std::uint16_t value) {
    return at % 2 == 0 ? value : static_cast<std::uint16_t>(value << 8 | value >> 8);
  };
  store_be16(segment + checksum_at,
             replaced_in_checksum(load_be16(segment + checksum_at), word(before), word(after)));
}

}  // namespace

bool lower_mss(std::uint8_t* header, std::size_t readable, std::uint16_t most) noexcept {
  const Ipv4View ip(header);
  std::uint8_t* const segment = header + ip.header_size();
  const std::size_t there = std::min<std::size_t>(readable, ip.total_length()) - ip.header_size();
  const std::size_t end = std::min<std::size_t>((segment[12] >> 4) * 4U, there);
  bool lowered = false;
  for (std::size_t at = tcp_header_minimum; at < end && segment[at] != end_of_list;) {
    if (segment[at] == no_operation) {
      ++at;
      continue;
    }
    // The length counts kind and length themselves.
    if (at + 1 == end || segment[at + 1] < 2 || at + segment[at + 1] > end) {
      break;
    }
    if (segment[at] == maximum_segment_size && segment[at + 1] == mss_option_size) {
      if (const auto said = load_be16(segment + at + 2); said > most) {
        replace(segment, at + 2, said, most);
        lowered = true;
      }
    }
    at += segment[at + 1];
  }
  return lowered;
}

}  // namespace sekisho::packet
