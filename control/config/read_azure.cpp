// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"
#include "control/route/next_hop_type.hpp"

namespace sekisho::config {
namespace {

using route::NextHopType;

constexpr std::array<Word<Gateway>, 3> gateways{{
    {"expressroute", Gateway::expressroute},
    {"vpn", Gateway::vpn},
    {"virtual-wan", Gateway::virtual_wan},
}};

// Of Azure's types: those that have a next hop of this appliance's only by saying so. Each may be written as people like, so
// they are no keys of a Section.
auto bindable_names() -> std::vector<std::string_view> {
  std::vector<std::string_view> names;
  std::ranges::transform(keys::azure_next_hop.keys, std::back_inserter(names), &Key::name);
  return names;
}

}  // namespace

void Reader::read_azure(const SingleTable& found) {
  const Section section{*found.table, found.line, "[azure]", problems_, keys::azure};
  Azure azure;
  azure.line = found.line;
  if (const auto file = section.text("service_tags"))
    azure.service_tags = resolve_file(*file, "service_tags");
  if (const auto cloud = section.choice("cloud", clouds))
    azure.cloud = *cloud;
  azure.gateway = section.choice("gateway", gateways).value_or(azure.gateway);
  read_own_addresses(section, azure);
  read_bound_types(section, azure);
  config_.azure = std::move(azure);
}

void Reader::read_own_addresses(const Section& section, Azure& azure) {
  for (const auto& text : section.texts("own_addresses")) {
    const auto address = parse_host(text.value);
    if (!address) {
      refuse(text.line, address.error());
      continue;
    }
    if (std::ranges::find(azure.own_addresses, *address) != azure.own_addresses.end())
      refuse(text.line, fmt::format("duplicate own address {}", text.value));
    for (const auto& next_hop : config_.next_hops) {
      if (std::ranges::binary_search(next_hop.members, *address))
        refuse(text.line, fmt::format("own address {} is a member of next hop \"{}\" ({})", text.value,
                                      next_hop.name, place(text.line, next_hop.line)));
    }
    azure.own_addresses.push_back(*address);
  }
  std::ranges::sort(azure.own_addresses);
}

void Reader::read_bound_types(const Section& section, Azure& azure) {
  const auto* node = section.node("next_hop");
  if (node == nullptr)
    return;
  const auto* table = node->as_table();
  if (table == nullptr)
    return section.wrong_type(*node, "next_hop", "a table, [azure.next_hop]");
  std::map<NextHopType, unsigned> lines;
  for (auto&& [key, value] : *table) {
    const unsigned line = key.source().begin.line;
    const auto type = route::parse_next_hop_type(key.str());
    if (!type) {
      refuse(line, fmt::format("{} is not an Azure next-hop type{}", base::in_quotes(key.str()),
                               base::suggestion(key.str(), bindable_names())));
      continue;
    }
    if (keys::azure_next_hop.find(to_string(*type)) == nullptr) {
      refuse(line, fmt::format("what {} is here cannot be chosen: an appliance has an address, Internet is "
                               "the exit, None drops",
                               to_string(*type)));
      continue;
    }
    const auto* name = value.as_string();
    if (name == nullptr) {
      section.wrong_type(value, key.str(), "the name of a next hop");
      continue;
    }
    if (std::ranges::find(next_hop_names_, name->get()) == next_hop_names_.end())
      refuse(line_of(value), fmt::format("there is no next hop {}{}", base::in_quotes(name->get()),
                                         base::suggestion(name->get(), next_hop_names_)));
    azure.next_hops[*type] = name->get();
    // A TOML table is in the order of its keys' bytes, not of the file.
    const auto [other, added] = lines.try_emplace(*type, line);
    if (!added)
      refuse(std::max(line, other->second), fmt::format("duplicate {}", to_string(*type)));
  }
}

}  // namespace sekisho::config
