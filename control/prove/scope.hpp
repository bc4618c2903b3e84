// SPDX-License-Identifier: BSD-3-Clause
// Which addresses an assertion's words stand for. Pure.
//
// "internet" is every address but
//   - what the dataplane drops before it asks a table: 0/8, 127/8, 169.254/16, 224/4, 240/4;
//   - private space: 10/8, 172.16/12, 192.168/16, 100.64/10; and Azure's 168.63.129.16, which is each host's own;
//   - networks that the configuration calls its own: sources of zones that are /8 or longer, `vnet` and `peerings`, and the ports'
//     subnets. A public prefix that on-premises has is no Internet. What is learned is not among them: a peer's word does not
//     take an address out of what is to be proved.
#pragma once

#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/route/address_set.hpp"

namespace sekisho::prove {

// A source that is shorter stands for anybody, not for a network of somebody's.
inline constexpr std::uint8_t shortest_network = 8;

// `subnets`: of the ports, as the kernel knows them, besides those of the configuration.
[[nodiscard]] auto internet(const config::Config& config, const std::vector<base::Prefix>& subnets)
    -> route::AddressSet;
// Addresses for which no packet meets a table, as sources or as destinations.
[[nodiscard]] auto martians() -> route::AddressSet;
// `internet`: what that word stands for.
[[nodiscard]] auto addresses_of(const policy::Destinations& destinations, const route::AddressSet& internet)
    -> route::AddressSet;

}  // namespace sekisho::prove
