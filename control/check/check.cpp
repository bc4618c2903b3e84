// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/check.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

constexpr std::array all{
    // what is asserted
    &assertion_false, &internet_past_firewall,
    // what a table says
    &one_half, &kms_incomplete, &kms_of_another_cloud, &host_address_captured, &bypass,
    &internet_without_exit, &sent_back, &hairpin, &asymmetric, &no_way_back, &sources_overlap,
    &port_in_no_zone, &zone_without_route, &learns_nothing, &learned_without_way_back,
    &learned_default_unreached, &duplicate_route, &never_matches, &table_too_long, &table_too_many_tags,
    &table_too_deep, &tag_without_udr, &tag_without_ipv4, &kms_tunnelled, &kms_near_miss,
    // what Azure's own tables say
    &gateway_subnet, &subnet_without_table, &firewall_subnet, &attached_nowhere, &own_subnet_captured,
    &next_hop_public, &next_hop_of_azure, &vnet_through_appliance, &default_dropped, &internet_needs_outbound,
    &peering_past_appliance, &endpoint_past_appliance, &next_hop_unreachable, &tables_asymmetric,
    // what is around the ports
    &next_hop_not_connected, &member_is_own, &weight_without_effect, &unprobed, &one_path, &probe_inside,
    &probe_elsewhere, &probe_times, &subnet_loop, &subnet_elsewhere, &gateway_of_expressroute,
    &nic_not_forwarding, &nic_of_no_port, &no_interface, &gateway_elsewhere, &no_companion, &mtu_above_1500,
    &mtu_beyond_buffers, &mtu_differs, &mss_clamp_strange, &tags_unseen, &web_open,
    // what is advertised
    &halves_trap, &default_learned, &default_to_vpn, &vnet_to_vpn, &attracted, &too_many_advertised,
    &one_route_server, &asn_banned, &asn_reserved, &asn_of_32_bits, &advertised_to_nobody, &peer_asn_strange,
    &peer_internal, &next_hop_strange,
    // what readers found
    &refused, &file_error, &file_warning, &file_note, &route_left_out, &next_hop_maybe_own};

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

std::span<const Rule* const> rules() noexcept {
  return all;
}

auto check(const Facts& facts, std::span<const Rule* const> by) -> std::vector<Finding> {
  std::vector<Finding> result;
  for (const auto* rule : by) {
    std::set<Offence> known;
    for (auto& offence : rule->find(facts))
      if (known.insert(offence).second)
        result.push_back({rule, std::move(offence)});
  }
  std::ranges::stable_sort(result, std::ranges::greater{},
                           [](const Finding& finding) { return finding.rule->severity; });
  return result;
}

}  // namespace sekisho::check
