// SPDX-License-Identifier: BSD-3-Clause
// The fourth lock: net.ipv4.conf.NAME.forwarding. What the kernel would have to forward, it drops where it comes in.
// For IPv6 the kernel asks one setting of the whole host, net.ipv6.conf.all.forwarding: it is closed with the whole host, and
// no lock where the host forwards for others.
//
// The exit must forward IPv4: there the other locks hold.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/guard/guard.hpp"

namespace sekisho::guard {

// Links that forward and must not: of the whole host all but the exit's, else those that are or ever were ports.
[[nodiscard]] auto forwarding_links(const Guard& guard, const netlink::Mirror& mirror)
    -> std::vector<const netlink::Link*>;
// Whether a link that is made now would forward, and must not.
[[nodiscard]] bool new_links_forward(const Guard& guard, const netlink::Mirror& mirror);
// Has every link begin with forwarding off. Needs /proc/sys: netlink cannot say it.
[[nodiscard]] auto close_new_links() -> tl::expected<void, std::string>;
// Whether the kernel forwards IPv6, and must not. Asks the kernel: no message of a link tells it.
[[nodiscard]] bool ipv6_forwards(const Guard& guard);
[[nodiscard]] auto close_ipv6() -> tl::expected<void, std::string>;

}  // namespace sekisho::guard
