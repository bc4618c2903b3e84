// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/azure.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<PeerPreset>, 5> presets{{
    {"generic", PeerPreset::generic},
    {"azure-route-server", PeerPreset::azure_route_server},
    {"azure-vwan-hub", PeerPreset::azure_vwan_hub},
    {"aws-route-server", PeerPreset::aws_route_server},
    {"gcp-cloud-router", PeerPreset::gcp_cloud_router},
}};

// FRR makes a folder of it.
bool is_instance_name(std::string_view name) {
  constexpr std::size_t longest = 32;
  return !name.empty() && name.size() <= longest && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           const char low = base::lower(c);
           return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace

std::string_view to_string(PeerPreset preset) noexcept {
  return std::ranges::find(presets, preset, &Word<PeerPreset>::meaning)->word;
}

void Reader::read_bgp(const SingleTable& found) {
  const Section section{*found.table, found.line, "[bgp]", problems_, keys::bgp};
  Bgp bgp;
  bgp.line = found.line;
  // Who only learns needs neither.
  if (section.has("asn") || section.has("peer"))
    bgp.asn = read_asn(section);
  read_bgp_peers(section, bgp);
  read_frr(section, bgp);
  read_advertising(section, bgp);
  read_bgp_advertise(section, bgp);
  read_learning(section, bgp);
  config_.bgp = std::move(bgp);
}

auto Reader::read_asn(const Section& section) -> std::uint32_t {
  const auto asn = section.required_integer("asn");
  if (!asn)
    return 0;
  constexpr std::int64_t last_of_16_bits = 65535;  // RFC 7300 reserves it
  const auto [least, most] = section.range("asn");
  if (asn->value < least || asn->value > most || asn->value == last_of_16_bits) {
    refuse(asn->line, fmt::format("{} is not an autonomous system number: {} to {}, not {}", asn->value,
                                  least, most, last_of_16_bits));
    return 0;
  }
  return static_cast<std::uint32_t>(asn->value);
}

void Reader::read_bgp_peers(const Section& section, Bgp& bgp) {
  if (!section.has("peer"))
    return;
  const auto* entries = section.required_array("peer", "tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    const auto* table = entry.as_table();
    if (table == nullptr) {
      section.wrong_type(entry, "peer", "an array of tables only");
      continue;
    }
    const Section inner{*table, line_of(entry), "a peer", problems_, keys::peer};
    BgpPeer peer;
    peer.line = inner.line();
    peer.asn = read_asn(inner);
    read_peer_ways(inner, peer);
    const auto text = inner.required_text("address");
    if (!text)
      continue;
    const auto address = parse_host(text->value);
    if (!address) {
      refuse(text->line, address.error());
      continue;
    }
    peer.address = *address;
    if (std::ranges::find(bgp.peers, peer.address, &BgpPeer::address) != bgp.peers.end())
      refuse(text->line, fmt::format("duplicate peer {}", text->value));
    bgp.peers.push_back(peer);
  }
}

void Reader::read_peer_ways(const Section& section, BgpPeer& peer) {
  peer.preset =
      section.choice("preset", presets)
          .value_or(peer.asn == route_server_asn ? PeerPreset::azure_route_server : PeerPreset::generic);
  peer.prepend = static_cast<unsigned>(section.number("prepend").value_or(peer.prepend));
  peer.next_hop = read_host(section, "next_hop");
}

auto Reader::read_host(const Section& section, std::string_view key) -> std::optional<std::uint32_t> {
  const auto text = section.text(key);
  if (!text)
    return std::nullopt;
  const auto address = parse_host(text->value);
  if (!address) {
    refuse(text->line, address.error());
    return std::nullopt;
  }
  return *address;
}

void Reader::read_frr(const Section& section, Bgp& bgp) {
  const auto frr = section.text("frr");
  if (!frr)
    return;
  if (!is_instance_name(frr->value))
    refuse(frr->line, fmt::format("{} cannot name an instance of FRR: letters, digits, - and _",
                                  base::in_quotes(frr->value)));
  bgp.frr = frr->value;
}

void Reader::read_advertising(const Section& section, Bgp& bgp) {
  bgp.router_id = read_host(section, "router_id");
  auto& when = bgp.advertising;
  when.withdraw_after = section.time("withdraw_after").value_or(when.withdraw_after);
  when.advertise_after = section.time("advertise_after").value_or(when.advertise_after);
  when.dead_after = section.time("dead_after").value_or(when.dead_after);
  if (const auto kept = section.time("graceful_restart"))
    bgp.graceful_restart = std::chrono::ceil<std::chrono::seconds>(*kept);  // BGP counts in seconds
}

void Reader::read_bgp_advertise(const Section& section, Bgp& bgp) {
  const auto* entries = section.array("advertise", "prefixes and tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    RouteSpec spec;
    spec.line = line_of(entry);
    if (const auto* prefix = entry.as_string()) {
      read_route_prefix({prefix->get(), spec.line}, spec);
    } else if (const auto* table = entry.as_table()) {
      const Section inner{*table, spec.line, "an entry of \"advertise\"", problems_, keys::advertised_file};
      if (!inner.required_text("file"))
        continue;
      read_route_file(inner, spec);
    } else {
      section.wrong_type(entry, "advertise", "an array of prefixes and tables, { file = \"...\" }, only");
      continue;
    }
    bgp.advertise.push_back(std::move(spec));
  }
}

}  // namespace sekisho::config
