// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/unfinished_checksum.hpp"

#include <array>
#include <cstring>

#include "dataplane/packet/bytes.hpp"
#include "dataplane/packet/checksum.hpp"

namespace sekisho::packet {
namespace {

// RFC 9293, 3.1, and RFC 768: both addresses, a zero, the protocol, and the length of what follows the IP header.
std::uint16_t pseudo_header_sum(Ipv4View ip, std::size_t length) noexcept {
  std::array<std::uint8_t, 4> rest{0, static_cast<std::uint8_t>(ip.protocol())};
  store_be16(rest.data() + 2, static_cast<std::uint16_t>(length));
  return fold(std::uint64_t{load_native32(ip.data() + 12)} + load_native32(ip.data() + 16) +
              load_native32(rest.data()));
}

}  // namespace

bool has_unfinished_checksum(Ipv4View ip, std::size_t readable) noexcept {
  constexpr std::size_t tcp_field = 16;
  constexpr std::size_t udp_field = 6;
  if ((ip.protocol() != Protocol::tcp && ip.protocol() != Protocol::udp) || ip.fragment() ||
      ip.total_length() > readable) {
    return false;
  }
  const std::size_t field = ip.protocol() == Protocol::tcp ? tcp_field : udp_field;
  const std::size_t length = ip.total_length() - ip.header_size();
  if (length < field + sizeof(std::uint16_t)) {
    return false;
  }
  const std::uint8_t* const segment = ip.data() + ip.header_size();
  std::uint16_t written = 0;
  std::memcpy(&written, segment + field, sizeof written);
  const auto pseudo = pseudo_header_sum(ip, length);
  const auto holds = [&] {
    const auto sum = static_cast<std::uint16_t>(~checksum(segment, length));
    return fold(std::uint64_t{sum} + pseudo) == 0xffff;
  };
  return written == pseudo && !holds();
}

}  // namespace sekisho::packet
