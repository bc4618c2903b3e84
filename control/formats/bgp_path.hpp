// SPDX-License-Identifier: BSD-3-Clause
// A BGP path's attributes (RFC 4271, 4.3 and 5.1), as far as a route file needs them: the next hop, and what makes one of
// a peer's paths to the same prefix better than another.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "control/formats/cursor.hpp"

namespace sekisho::formats {

// The attributes that RFC 4271, 9.1 compares before it comes to speakers and their addresses: the least is the best path.
struct PathRank {
  // "The higher degree of preference MUST be preferred" (9.1.1): of the complement the lower.
  std::uint32_t local_preference_complement = ~std::uint32_t{100};
  std::uint32_t as_path_length = 0;  // an AS_SET counts as one AS (9.1.2.2 a)
  std::uint8_t origin = 2;           // IGP, EGP, INCOMPLETE; where it is missing the last
  // "In the absence of a MULTI_EXIT_DISC attribute" the lowest. Compared whatever the neighbouring AS, as routers do
  // that are told always to compare it: otherwise the order of the paths would decide.
  std::uint32_t exit_discriminator = 0;

  friend auto operator<=>(const PathRank&, const PathRank&) = default;
};

struct Path {
  std::uint32_t next_hop = 0;  // host byte order; 0: none, the router's own route
  // "IPv4 prefixes with an IPv6 next hop" (RFC 8950): there is no NEXT_HOP, and MP_REACH_NLRI has it.
  bool ipv6_next_hop = false;
  PathRank rank;
};

// Where in the file, and why.
struct Malformed {
  std::size_t offset = 0;
  std::string reason;
};
[[nodiscard]] inline auto malformed(std::size_t offset, std::string reason) -> tl::unexpected<Malformed> {
  return tl::unexpected(Malformed{offset, std::move(reason)});
}

// `as_size`: how many bytes an AS number has in AS_PATH, 2 or 4.
[[nodiscard]] auto parse_path(Cursor attributes, unsigned as_size) -> tl::expected<Path, Malformed>;

}  // namespace sekisho::formats
