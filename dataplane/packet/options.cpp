// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/options.hpp"

namespace sekisho::packet {
namespace {

constexpr std::uint8_t end_of_list = 0;
constexpr std::uint8_t no_operation = 1;
constexpr std::uint8_t loose_source_route = 131;
constexpr std::uint8_t strict_source_route = 137;

}  // namespace

bool has_source_route(Ipv4View ip) noexcept {
  const std::uint8_t* const header = ip.data();
  const unsigned end = ip.header_size();
  for (unsigned at = ipv4_header_minimum; at < end;) {
    const std::uint8_t type = header[at];
    // Before its length is looked at: a source route with a length that lies is no better.
    if (type == loose_source_route || type == strict_source_route) {
      return true;
    }
    if (type == end_of_list) {
      return false;
    }
    if (type == no_operation) {
      ++at;
      continue;
    }
    // The length counts type and length themselves (RFC 791, 3.1).
    if (at + 1 == end || header[at + 1] < 2) {
      return false;
    }
    at += header[at + 1];
  }
  return false;
}

}  // namespace sekisho::packet
