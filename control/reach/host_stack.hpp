// SPDX-License-Identifier: BSD-3-Clause
// What the kernel's own stack needs so that this appliance's addresses work on its ports: companions up and with their
// addresses, a reply by the port whose address was asked, and the way of next hop `Internet` out and back. Pure.
//
//   rule 8301  iif sekisho0  table 830000 + the exit port's link     connected subnets, default by the gateway
//   rule 8302  iif EXIT      table 830000                            default by sekisho0: replies, once translated back
//   rule 8303  from ADDRESS  table 830000 + its port's link          connected subnets, default by the gateway, or else
//                                                                    Azure's host on the link
//
// A load balancer probes every port from one address (Azure: 168.63.129.16): by the main table all replies would leave
// by the same port. Where a port's gateway is not known, that address is asked for on its own link: Azure's network answers every
// ARP request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/netlink/wanted.hpp"

namespace sekisho::reach {

// Azure, "What is IP address 168.63.129.16?": health probes, DHCP, DNS and the guest agent come from it.
inline constexpr base::Prefix azure_host{0xa83f'8110, 32};

// By which we know the interfaces that the dataplane made.
inline constexpr std::string_view exit_alias = "sekisho exit";
[[nodiscard]] auto companion_alias(const config::Port& port) -> std::string;

// Null when the configuration has no exit.
[[nodiscard]] auto exit_port(const config::Config& config) -> const config::Port*;
// As configured, else by the main table's default route through the port's interface.
[[nodiscard]] auto gateway_of(const config::Port& port, const netlink::Mirror& mirror)
    -> std::optional<std::uint32_t>;

// The links of next hop `Internet`: sekisho0, if it is ours, and the exit port's.
[[nodiscard]] auto exit_links(const config::Config& config, const netlink::Mirror& mirror)
    -> std::optional<std::pair<int, int>>;

[[nodiscard]] auto host_stack(const config::Config& config, const netlink::Mirror& mirror) -> netlink::Wanted;
// The part of it that next hop `Internet` needs.
[[nodiscard]] auto exit_stack(const config::Config& config, const netlink::Mirror& mirror) -> netlink::Wanted;
// What has to be resolved for it.
[[nodiscard]] auto exit_neighbour(const config::Config& config, const netlink::Mirror& mirror)
    -> std::optional<netlink::NeighbourKey>;

}  // namespace sekisho::reach
