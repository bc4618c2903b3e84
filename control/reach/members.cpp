// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/members.hpp"

#include <algorithm>
#include <set>

#include "common/base/prefix.hpp"

namespace sekisho::reach {
namespace {

using config::InterfaceAddress;

// A /31 (RFC 3021) and a /32 have no broadcast address.
constexpr std::uint8_t longest_with_broadcast = 30;

const config::Port* port_towards(std::uint32_t address, const config::Config& config,
                                 const netlink::Mirror& mirror) {
  const config::Port* best = nullptr;
  int best_length = -1;
  for (const auto& port : config.ports) {
    for (const auto& own : port_addresses(port, mirror)) {
      const bool better = own.length > best_length ||
                          (own.length == best_length && best != nullptr && port.name < best->name);
      if (better && subnet(own).covers(address)) {
        best = &port;
        best_length = own.length;
      }
    }
  }
  return best;
}

// A neighbour on an interface of the kernel: what the kernel knows, or what was known before it was asked.
void judge_by_kernel(Member& member, const netlink::Link* link, const netlink::Mirror& mirror,
                     const Inherited& inherited) {
  const auto neighbour = mirror.neighbours.find({link->index, member.address});
  const bool usable = neighbour != mirror.neighbours.end() && neighbour->second.usable;
  const bool asking = neighbour == mirror.neighbours.end() || neighbour->second.state == "INCOMPLETE";
  member.asking = link->up && !usable && asking;
  const auto before = inherited.find({member.port, member.address});
  const auto last = mirror.last_macs.find({link->index, member.address});
  if (usable) {
    member.mac = neighbour->second.mac;
  } else if (last != mirror.last_macs.end()) {
    member.mac = last->second;
    member.inherited = link->up;
  } else if (asking && before != inherited.end()) {
    member.mac = before->second;
    member.inherited = link->up;
  }
  member.alive = link->up && (usable || member.inherited);
  if (member.inherited) {
    member.why = last != mirror.last_macs.end()
                     ? "its neighbour entry was removed; the last MAC serves while the kernel resolves it"
                     : "taken over; its neighbour is being resolved";
  } else if (member.alive) {
    member.why = "reachable";
  } else if (!link->up) {
    member.why = "link " + link->name + " is down";
  } else if (neighbour != mirror.neighbours.end()) {
    member.why = "neighbour is " + neighbour->second.state;
  } else {
    member.why = "neighbour is not resolved yet";
  }
}

// RFC 1812, 5.2.3: a router takes what is for any of its addresses, by whatever port it comes; these are of no port.
void add_loopback_addresses(const netlink::Mirror& mirror, std::set<std::uint32_t>& result) {
  constexpr base::Prefix local_host{0x7f00'0000, 8};
  const netlink::Link* const link = mirror.link("lo");
  const auto found = link == nullptr ? mirror.addresses.end() : mirror.addresses.find(link->index);
  if (found != mirror.addresses.end()) {
    for (const auto& own : found->second) {
      if (!local_host.covers(own.address)) {
        result.insert(own.address);
      }
    }
  }
}

}  // namespace

auto subnet(const InterfaceAddress& address) -> base::Prefix {
  base::Prefix prefix{address.address, address.length};
  prefix.address &= prefix.mask();
  return prefix;
}

auto port_addresses(const config::Port& port, const netlink::Mirror& mirror)
    -> const std::vector<InterfaceAddress>& {
  static const std::vector<InterfaceAddress> none;
  if (!port.has_netdev()) {
    return port.addresses;
  }
  const netlink::Link* link = mirror.link_of(port);
  if (link == nullptr) {
    return none;
  }
  const auto found = mirror.addresses.find(link->index);
  return found == mirror.addresses.end() ? none : found->second;
}

auto member(std::uint32_t address, const config::Config& config, const netlink::Mirror& mirror,
            const Inherited& inherited) -> Member {
  Member member;
  member.address = address;
  const config::Port* port = port_towards(address, config, mirror);
  if (port == nullptr) {
    member.why = "no port has an address in its subnet";
    return member;
  }
  member.port = port->name;
  const auto& own = port_addresses(*port, mirror);
  if (std::ranges::any_of(own, [&](const InterfaceAddress& entry) { return entry.address == address; })) {
    member.why = "it is this appliance's own address";
  } else if (port->has_netdev()) {
    judge_by_kernel(member, mirror.link_of(*port), mirror, inherited);
  } else {
    const auto entry = std::ranges::find(port->neighbours, address, &config::StaticNeighbour::address);
    member.alive = entry != port->neighbours.end();
    member.why = member.alive ? "static" : "no static neighbour";
    if (member.alive) {
      member.mac = entry->mac;
    }
  }
  return member;
}

auto members(const config::Config& config, const netlink::Mirror& mirror, const Inherited& inherited)
    -> std::vector<Member> {
  std::set<std::uint32_t> addresses;
  for (const auto& next_hop : config.next_hops) {
    addresses.insert(next_hop.members.begin(), next_hop.members.end());
  }
  std::vector<Member> result;
  result.reserve(addresses.size());
  for (const auto address : addresses) {
    result.push_back(member(address, config, mirror, inherited));
  }
  std::ranges::stable_sort(result, {}, &Member::port);
  return result;
}

auto local_addresses(const config::Port& port, const netlink::Mirror& mirror) -> std::vector<std::uint32_t> {
  std::set<std::uint32_t> result;
  for (const auto& address : port_addresses(port, mirror)) {
    result.insert(address.address);
    if (address.length <= longest_with_broadcast) {
      result.insert(subnet(address).last());
    }
  }
  add_loopback_addresses(mirror, result);
  return {result.begin(), result.end()};
}

auto unicast_addresses(const config::Port& port, const netlink::Mirror& mirror)
    -> std::vector<std::uint32_t> {
  std::set<std::uint32_t> result;
  for (const auto& address : port_addresses(port, mirror)) {
    result.insert(address.address);
  }
  add_loopback_addresses(mirror, result);
  return {result.begin(), result.end()};
}

}  // namespace sekisho::reach
