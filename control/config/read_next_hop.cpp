// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/base/prefix.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"
#include "control/route/next_hop_type.hpp"

namespace sekisho::config {
namespace {

constexpr std::size_t max_members = 64;  // of one next hop, in the dataplane (forward/forwarding_state.hpp)

// The dataplane's name for an address on a port's subnet (egress/connected.hpp).
bool is_host_name(const std::string& name) {
  constexpr std::string_view prefix = "host-";
  if (!name.starts_with(prefix))
    return false;
  auto address = name.substr(prefix.size());
  std::ranges::replace(address, '-', '.');
  return base::parse_address(address).has_value();
}

}  // namespace

void Reader::read_next_hop(const NamedTable& named) {
  // A route file could not tell a type of Azure's from a next hop of that name.
  if (route::parse_next_hop_type(named.name) || named.name == "host" || named.name == "connected" ||
      is_host_name(named.name))
    refuse(named.line, fmt::format("\"{}\" has a meaning of its own and cannot name a next hop", named.name));
  const Section section{
      *named.table, named.line, fmt::format("[next_hop.{}]", named.name), problems_, {"members", "probe"}};
  NextHop next_hop;
  next_hop.name = named.name;
  next_hop.line = named.line;
  for (const auto& text : section.required_texts("members")) {
    const auto member = parse_host(text.value);
    if (!member) {
      refuse(text.line, member.error());
      continue;
    }
    if (std::ranges::find(next_hop.members, *member) != next_hop.members.end())
      refuse(text.line, fmt::format("duplicate member {}", text.value));
    for (const auto& [own, owner] : own_addresses_) {
      if (own.address == *member)
        refuse(text.line,
               fmt::format("member {} is the appliance's own address on port {}", text.value, owner.name));
    }
    next_hop.members.push_back(*member);
  }
  if (next_hop.members.size() > max_members)
    refuse(named.line, fmt::format("more than {} members", max_members));
  std::ranges::sort(next_hop.members);
  read_probe(section, next_hop);
  config_.next_hops.push_back(std::move(next_hop));
}

}  // namespace sekisho::config
