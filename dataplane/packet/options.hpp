// SPDX-License-Identifier: BSD-3-Clause
// IPv4 options: what a router must see, refuse and fill. Only packets whose header is longer than the shortest come here.
//
// RFC 1812, 5.3.13.1: "A router MUST ignore IP options which it does not recognize." Source routes are refused unless a policy lets them
// pass (RFC 7126, 4.3.5 and 4.4.5), obsolete options are (RFC 6814; RFC 7126, 4.6.5 and others), and a list that cannot be parsed is:
// who would honour one of its options would see something else in it than we do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

enum class OptionHandling : std::uint8_t {
  fill,    // as the sender asks
  ignore,  // the packet passes, the option as it came
  refuse,  // the packet does not
};

struct OptionPolicy {
  bool source_routes_pass = false;
  OptionHandling record_route = OptionHandling::fill;
  OptionHandling timestamp = OptionHandling::fill;
  friend bool operator==(const OptionPolicy&, const OptionPolicy&) = default;
};

enum class OptionFault : std::uint8_t { none, source_route, obsolete, refused, malformed };

struct OptionFinding {
  OptionFault fault = OptionFault::none;
  std::uint8_t at = 0;   // of a fault: the octet of the header that is wrong, as a parameter problem names it
  bool to_fill = false;  // it has one that we are to fill; of a list without fault
  friend bool operator==(const OptionFinding&, const OptionFinding&) = default;
};

// All bytes of the header are readable. The first fault counts.
[[nodiscard]] OptionFinding examine_options(Ipv4View ip, const OptionPolicy& policy) noexcept;

// Whose time a timestamp asks for next; 0: anybody's, or nobody's. Of a list without fault.
[[nodiscard]] std::uint32_t named_for_timestamp(Ipv4View ip, const OptionPolicy& policy) noexcept;

struct OptionEntry {
  std::uint32_t address = 0;       // ours
  std::uint32_t milliseconds = 0;  // since midnight (UT)
  bool is_named = false;           // we are who named_for_timestamp() says
};

// Of a list in which examine_options() found something to fill: writes address, time, or both where there is room, and the header's
// checksum. An option that is full stays, but for the count of those whom a timestamp had no room for.
void fill_options(std::uint8_t* header, const OptionPolicy& policy, const OptionEntry& entry) noexcept;

}  // namespace sekisho::packet
