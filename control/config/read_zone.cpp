// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {

void Reader::read_zone(const NamedTable& named) {
  const Section section{*named.table, named.line, fmt::format("[zone.{}]", named.name), problems_,
                        keys::zone};
  Zone zone;
  zone.name = named.name;
  zone.line = named.line;
  if (zone.name == "sources")
    refuse(named.line, "\"sources\" is the table that finds the zones and cannot name one");
  read_zone_ports(section, zone);
  read_zone_sources(section, zone);
  read_zone_internet(section, zone);
  read_system_routes(section, zone);
  const auto connected = section.boolean("connected");
  zone.connected = connected && connected->value;
  read_routes(section, zone);
  read_zone_learning(section, zone);
  config_.zones.push_back(std::move(zone));
}

void Reader::read_zone_internet(const Section& section, Zone& zone) {
  if (const auto internet = section.boolean("internet")) {
    zone.internet = internet->value;
    if (internet->value && !config_.internet)
      refuse(internet->line, fmt::format("{} requires [internet], which is missing", section.name()));
  }
  const auto via = section.text("via");
  if (!via)
    return;
  if (!zone.internet)
    refuse(via->line,
           fmt::format("\"via\" in {} says where its default or halves go, and there are none: write "
                       "internet = true",
                       section.name()));
  if (base::equal_without_case(via->value, leave))
    refuse(via->line,
           fmt::format("{} via \"Internet\" would take everything past the firewall", section.name()));
  else if (base::equal_without_case(via->value, none))
    refuse(via->line, fmt::format("{} via \"None\" would drop everything: leave out internet = true instead",
                                  section.name()));
  else
    zone.via = resolve_next_hop(*via);
}

void Reader::read_zone_ports(const Section& section, Zone& zone) {
  for (auto& port : section.required_texts("port")) {
    if (std::ranges::find(port_names_, port.value) == port_names_.end())
      refuse(port.line, fmt::format("there is no port {}{}", base::in_quotes(port.value),
                                    base::suggestion(port.value, port_names_)));
    else if (std::ranges::find(zone.ports, port.value) != zone.ports.end())
      refuse(port.line, fmt::format("duplicate port {}", base::in_quotes(port.value)));
    zone.ports.push_back(std::move(port.value));
  }
}

void Reader::read_zone_sources(const Section& section, Zone& zone) {
  for (const auto& text : section.required_texts("sources")) {
    if (text.value == "bgp") {
      if (zone.learned_sources)
        refuse(text.line, "duplicate source \"bgp\"");
      zone.learned_sources = true;
      continue;
    }
    const auto source = parse_source(text.value);
    if (!source) {
      refuse(text.line, source.error());
      continue;
    }
    const auto [other, added] = sources_.try_emplace(*source, Owner{zone.name, text.line});
    if (!added)
      refuse(text.line, fmt::format("{} is a source of zone {} already ({})", text.value, other->second.name,
                                    place(text.line, other->second.line)));
    zone.sources.push_back(*source);
  }
}

void Reader::read_system_routes(const Section& section, Zone& zone) {
  const auto wanted = section.boolean("system_routes");
  zone.system_routes = wanted && wanted->value;
  for (const std::string_view key : {"vnet", "peerings"}) {
    if (!zone.system_routes && section.has(key))
      refuse(section.line_of_key(key),
             fmt::format("\"{}\" in {} requires system_routes = true", key, section.name()));
  }
  if (!zone.system_routes)
    return;
  // Azure, "Virtual network peering": "The virtual networks you peer must have nonoverlapping IP address spaces."
  std::vector<std::pair<base::Prefix, std::string_view>> seen;
  const auto read = [&](std::string_view key, const std::vector<Located<std::string>>& texts) {
    std::vector<base::Prefix> result;
    for (const auto& text : texts) {
      const auto prefix = parse_vnet(text.value);
      if (!prefix) {
        refuse(text.line, prefix.error());
        continue;
      }
      for (const auto& [other, where] : seen) {
        if (other.covers(*prefix) || prefix->covers(other))
          refuse(text.line,
                 fmt::format("{} overlaps with {} in \"{}\"", text.value, base::to_string(other), where));
      }
      seen.emplace_back(*prefix, key);
      result.push_back(*prefix);
    }
    return result;
  };
  zone.vnet = read("vnet", section.required_texts("vnet"));
  zone.peerings = read("peerings", section.texts("peerings"));
}

}  // namespace sekisho::config
