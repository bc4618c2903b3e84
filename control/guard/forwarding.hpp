// The fourth lock: net.ipv4.conf.NAME.forwarding. What the kernel would have to forward, it drops where it comes in.
// Of IPv4 alone: for IPv6 the kernel asks one setting for the whole host, which is not ours to decide.
//
// The exit must forward: there the other locks hold.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/guard/guard.hpp"

namespace sekisho::guard {

// Links that forward and must not: of the whole host all but the exit's, else those that are or ever were ports.
[[nodiscard]] auto forwarding_links(const Guard& guard, const kernel::Mirror& mirror)
    -> std::vector<const kernel::Link*>;
// Whether a link that is made now would forward, and must not.
[[nodiscard]] bool new_links_forward(const Guard& guard, const kernel::Mirror& mirror);
// Has every link begin with forwarding off. Needs /proc/sys: netlink cannot say it.
[[nodiscard]] auto close_new_links() -> tl::expected<void, std::string>;

}  // namespace sekisho::guard
