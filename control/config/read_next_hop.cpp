// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "common/base/prefix.hpp"
#include "control/config/addresses.hpp"
#include "control/config/learned_name.hpp"
#include "control/config/reader.hpp"
#include "control/route/next_hop_type.hpp"

namespace sekisho::config {
namespace {

constexpr std::array hashes{Word<Hash>{"5-tuple", Hash::five_tuple},
                            Word<Hash>{"addresses", Hash::addresses}};

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
  if (route::parse_next_hop_type(named.name) || named.name == "host" || named.name == connected ||
      named.name == dropped || is_host_name(named.name) || is_learned_name(named.name))
    refuse(named.line, fmt::format("\"{}\" has a meaning of its own and cannot name a next hop", named.name));
  const Section section{*named.table, named.line, fmt::format("[next_hop.{}]", named.name), problems_,
                        keys::next_hop};
  NextHop next_hop;
  next_hop.name = named.name;
  next_hop.line = named.line;
  read_members(section, next_hop);
  next_hop.hash = section.choice("hash", hashes).value_or(Hash::five_tuple);
  read_probe(section, next_hop);
  config_.next_hops.push_back(std::move(next_hop));
}

void Reader::read_members(const Section& section, NextHop& next_hop) {
  const auto* entries = section.required_array("members", "addresses and tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    if (const auto* address = entry.as_string()) {  // short for { address = "..." }
      read_member({address->get(), line_of(entry)}, std::nullopt, next_hop);
    } else if (const auto* table = entry.as_table()) {
      const Section inner{*table, line_of(entry), "an entry of \"members\"", problems_, keys::member};
      if (const auto text = inner.required_text("address"))
        read_member(*text, inner.number("weight"), next_hop);
    } else {
      section.wrong_type(entry, "members", "an array of addresses and tables only");
    }
  }
  const auto most = section.range("members").most;
  if (std::ssize(next_hop.members) > most)
    refuse(next_hop.line, fmt::format("more than {} members", most));
  const auto takes_flows = [&](std::uint32_t member) { return next_hop.weight_of(member) != 0; };
  if (!next_hop.members.empty() && std::ranges::none_of(next_hop.members, takes_flows))
    refuse(next_hop.line, fmt::format("next hop {} has no member of a weight above 0", next_hop.name));
  std::ranges::sort(next_hop.members);
}

void Reader::read_member(const Located<std::string>& address, std::optional<std::int64_t> weight,
                         NextHop& next_hop) {
  const auto member = parse_host(address.value);
  if (!member) {
    refuse(address.line, member.error());
    return;
  }
  if (std::ranges::find(next_hop.members, *member) != next_hop.members.end())
    refuse(address.line, fmt::format("duplicate member {}", address.value));
  for (const auto& [own, owner] : own_addresses_) {
    if (own.address == *member)
      refuse(address.line,
             fmt::format("member {} is the appliance's own address on port {}", address.value, owner.name));
  }
  next_hop.members.push_back(*member);
  if (weight && *weight != 1)
    next_hop.weights[*member] = static_cast<unsigned>(*weight);
}

}  // namespace sekisho::config
