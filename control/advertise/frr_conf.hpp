// SPDX-License-Identifier: BSD-3-Clause
// The frr.conf with which FRR speaks to the configured peers. Pure.
//
// It holds sessions and what they let through, and never what is advertised: a route that stood in the file would be there as soon as FRR
// is, with no firewall alive and no dataplane. sekisho-control originates at run time (control/advertise/keeper.hpp). What peers tell goes
// into a kernel table of its own, so that a learned default never takes the host's place of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"

namespace sekisho::advertise {

// In a line of its own at the top: the file is ours.
inline constexpr std::string_view marker = "! Written by `sekisho bgp apply`";

// `advertised`: what may be let out, sorted. `guard`: when it closes the whole host, zebra is not to have the kernel forward IPv6.
[[nodiscard]] auto frr_conf(const config::Bgp& bgp, const config::Guard& guard,
                            std::span<const base::Prefix> advertised) -> std::string;

}  // namespace sekisho::advertise
