// SPDX-License-Identifier: BSD-3-Clause
// Every rule, by the file that has it. What each means is written there, for `sekisho check --list` and the manual.
#pragma once

#include "control/check/check.hpp"

namespace sekisho::check {

extern const Rule one_half, halves_trap, default_learned;  // halves.cpp
extern const Rule default_to_vpn, vnet_to_vpn, too_many_advertised, attracted,
    advertised_to_nobody;                                                              // advertised.cpp
extern const Rule kms_incomplete, kms_of_another_cloud, kms_tunnelled, kms_near_miss;  // kms.cpp
extern const Rule table_too_long, table_too_many_tags, table_too_deep;                 // limits.cpp
extern const Rule gateway_subnet, subnet_without_table, firewall_subnet, attached_nowhere,
    own_subnet_captured;  // azure_subnets.cpp
extern const Rule next_hop_public, next_hop_of_azure, vnet_through_appliance, default_dropped,
    internet_needs_outbound;  // azure_next_hops.cpp
extern const Rule peering_past_appliance, endpoint_past_appliance, next_hop_unreachable,
    tables_asymmetric;                                                           // effective.cpp
extern const Rule tag_without_udr, tag_without_ipv4;                             // tags.cpp
extern const Rule next_hop_not_connected, weight_without_effect, member_is_own;  // next_hops.cpp
extern const Rule unprobed, one_path, probe_inside, probe_elsewhere,
    probe_times;                                                                        // probes.cpp
extern const Rule host_address_captured;                                                // host_addresses.cpp
extern const Rule sources_overlap;                                                      // sources.cpp
extern const Rule never_matches;                                                        // martians.cpp
extern const Rule port_in_no_zone, zone_without_route;                                  // idle.cpp
extern const Rule web_open;                                                             // web.cpp
extern const Rule nic_not_forwarding, nic_of_no_port;                                   // nics.cpp
extern const Rule duplicate_route;                                                      // duplicates.cpp
extern const Rule route_left_out, next_hop_maybe_own;                                   // left_out.cpp
extern const Rule peer_asn_strange, peer_internal, next_hop_strange;                    // bgp_peers.cpp
extern const Rule assertion_false, internet_past_firewall;                              // assertions.cpp
extern const Rule asn_banned, asn_reserved, asn_of_32_bits;                             // asn.cpp
extern const Rule learns_nothing, learned_without_way_back, learned_default_unreached;  // learning.cpp
extern const Rule one_route_server;                                                     // route_server.cpp
extern const Rule bypass, internet_without_exit;                                        // exceptions.cpp
extern const Rule sent_back, hairpin;                                                   // loop.cpp
extern const Rule subnet_loop, subnet_elsewhere, gateway_of_expressroute;               // fabric.cpp
extern const Rule asymmetric, no_way_back;                                              // way_back.cpp
extern const Rule gateway_elsewhere, no_interface, no_companion, mtu_above_1500, mtu_beyond_buffers,
    mtu_differs, mss_clamp_strange,
    tags_unseen;                                                 // ports.cpp
extern const Rule refused, file_error, file_warning, file_note;  // files.cpp

}  // namespace sekisho::check
