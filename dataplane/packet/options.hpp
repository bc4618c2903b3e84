// SPDX-License-Identifier: BSD-3-Clause
// IPv4 options: what a router that honours none of them must still see.
#pragma once

#include <cstdint>

#include "dataplane/packet/ipv4.hpp"

namespace sekisho::packet {

// Whether a loose or strict source route stands among the options. RFC 7126, 4.3.5 and 4.4.5, on
// packets with either: "The default setting for this knob SHOULD be 'drop'". Options that cannot be parsed
// end the list, as they do for whoever would honour one. All bytes of the header are readable.
[[nodiscard]] bool has_source_route(Ipv4View ip) noexcept;

}  // namespace sekisho::packet
