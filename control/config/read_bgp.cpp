// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {

void Reader::read_bgp(const SingleTable& found) {
  const Section section{*found.table, found.line, "[bgp]", problems_, {"asn", "peer", "advertise"}};
  Bgp bgp;
  bgp.line = found.line;
  bgp.asn = read_asn(section);
  read_bgp_peers(section, bgp);
  read_bgp_advertise(section, bgp);
  config_.bgp = std::move(bgp);
}

auto Reader::read_asn(const Section& section) -> std::uint32_t {
  const auto asn = section.required_integer("asn");
  if (!asn)
    return 0;
  // RFC 7607 keeps 0 out of BGP; RFC 7300 reserves the last number of 16 bits and of 32.
  constexpr std::int64_t last_of_16_bits = 65535;
  constexpr std::int64_t last = std::numeric_limits<std::uint32_t>::max();
  if (asn->value < 1 || asn->value >= last || asn->value == last_of_16_bits) {
    refuse(asn->line, fmt::format("{} is not an autonomous system number: 1 to {}, not {}", asn->value,
                                  last - 1, last_of_16_bits));
    return 0;
  }
  return static_cast<std::uint32_t>(asn->value);
}

void Reader::read_bgp_peers(const Section& section, Bgp& bgp) {
  const auto* entries = section.required_array("peer", "tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    const auto* table = entry.as_table();
    if (table == nullptr) {
      section.wrong_type(entry, "peer", "an array of tables only");
      continue;
    }
    const Section inner{*table, line_of(entry), "a peer", problems_, {"address", "asn"}};
    BgpPeer peer;
    peer.line = inner.line();
    peer.asn = read_asn(inner);
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
      const Section inner{
          *table, spec.line, "an entry of \"advertise\"", problems_, {"file", "peer", "allow_empty"}};
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
