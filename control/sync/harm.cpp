// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/harm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "common/base/prefix.hpp"

namespace sekisho::sync {
namespace {

template <class List>
auto find(const List& list, std::string_view name) -> decltype(&*list.begin()) {
  const auto found =
      std::ranges::find(list, name, [](const auto& entry) { return std::string_view(entry.name); });
  return found == list.end() ? nullptr : &*found;
}

// The members of a next hop as the kernel sees them.
auto members(const config::NextHop& next_hop, const View& view) -> std::vector<const reach::Member*> {
  std::vector<const reach::Member*> result;
  for (const auto& member : view.members) {
    if (std::ranges::find(next_hop.members, member.address) != next_hop.members.end()) {
      result.push_back(&member);
    }
  }
  return result;
}

bool is_alive(const config::NextHop* next_hop, const View& view) {
  return next_hop != nullptr && std::ranges::any_of(members(*next_hop, view), [&](const auto* member) {
           return member->alive && takes_flows(*next_hop, member->address, view);
         });
}

// "10.0.2.99: neighbour is FAILED, 10.0.9.9: no port has an address in its subnet"
std::string reasons(const std::vector<const reach::Member*>& members) {
  std::string result;
  for (const auto* member : members) {
    result += fmt::format("{}{}: {}", result.empty() ? "" : ", ", base::address_to_string(member->address),
                          member->why);
  }
  return result;
}

// One that no port leads to is dead for good.
bool may_heal(const std::vector<const reach::Member*>& members) {
  return std::ranges::any_of(members, [](const reach::Member* member) { return !member->port.empty(); });
}

void add_ports(std::vector<Harm>& result, const Standing& then, const Devices& devices) {
  for (const auto& name : devices.running) {
    const auto absent = devices.absent.find(name);
    if (find(then.policy.config.ports, name) == nullptr) {
      result.push_back({Harm::Kind::port_stops, name,
                        fmt::format("port {} would run no more: the configuration has no such port", name)});
    } else if (absent != devices.absent.end()) {
      result.push_back(
          {Harm::Kind::port_stops, name, fmt::format("port {} would run no more: {}", name, absent->second)});
    }
  }
}

void add_next_hops(std::vector<Harm>& result, const Standing& now, const Standing& then) {
  for (const auto& next_hop : then.policy.config.next_hops) {
    if (is_alive(find(now.policy.config.next_hops, next_hop.name), now.view) &&
        !is_alive(&next_hop, then.view)) {
      const auto dead = members(next_hop, then.view);
      result.push_back({Harm::Kind::next_hop_dies, next_hop.name,
                        fmt::format("next hop {} is alive and would lose its last living member ({})",
                                    next_hop.name, reasons(dead)),
                        may_heal(dead)});
    }
  }
}

void add_move(std::vector<Harm>& result, const Standing& now, const Standing& then, const std::string& before,
              const std::string& after) {
  const auto* next_hop = find(then.policy.config.next_hops, after);
  if (before == after || next_hop == nullptr ||
      !is_alive(find(now.policy.config.next_hops, before), now.view) || is_alive(next_hop, then.view) ||
      std::ranges::find(result, after, &Harm::name) != result.end()) {
    return;
  }
  const auto dead = members(*next_hop, then.view);
  result.push_back(
      {Harm::Kind::next_hop_dies, after,
       fmt::format("internet traffic would move from next hop {}, which is alive, to {}, which has no "
                   "living member ({})",
                   before, after, reasons(dead)),
       may_heal(dead)});
}

// A next hop by another name is another one, but what goes to the Internet does not care what it is called.
void add_internet(std::vector<Harm>& result, const Standing& now, const Standing& then) {
  if (!now.policy.config.internet || !then.policy.config.internet) {
    return;
  }
  add_move(result, now, then, now.policy.config.internet->via, then.policy.config.internet->via);
  for (const auto& zone : then.policy.config.zones) {
    const auto* old = find(now.policy.config.zones, zone.name);
    if (old != nullptr && old->internet && zone.internet) {
      add_move(result, now, then, now.policy.config.via_of(*old), then.policy.config.via_of(zone));
    }
  }
}

// While the kernel has not answered it is not known to be down.
void add_exit(std::vector<Harm>& result, const View& now, const View& then) {
  if (now.exit && now.exit->ready && then.exit && !then.exit->ready && !then.exit->asking) {
    result.push_back({Harm::Kind::exit_dies, std::string(policy::leave),
                      fmt::format("next hop Internet is ready and would be down: {}", then.exit->why), true});
  }
}

// Not the product's own None routes: they lead nowhere.
auto leading(const policy::Policy& policy, const policy::ZonePolicy& zone) {
  return zone.table.active() | std::views::filter([&](const route::Route& route) {
           return policy.names[route.next_hop] != policy::none;
         });
}

void add_zones(std::vector<Harm>& result, const policy::Policy& now, const policy::Policy& then) {
  for (const auto& zone : then.zones) {
    const auto* before = now.zone(zone.name);
    if (before == nullptr || !leading(then, zone).empty()) {
      continue;
    }
    if (const auto count = std::ranges::distance(leading(now, *before)); count != 0) {
      result.push_back({Harm::Kind::table_empties, zone.name,
                        fmt::format("zone {} has {} route{} that lead{} somewhere and would have none",
                                    zone.name, count, count == 1 ? "" : "s", count == 1 ? "s" : "")});
    }
  }
}

// Whether what comes in there from these sources is some zone's, with a route to go on by.
bool is_carried(const policy::Policy& policy, std::string_view port, base::Prefix source) {
  return std::ranges::any_of(policy.zones, [&](const policy::ZonePolicy& zone) {
    return std::ranges::find(zone.ports, port) != zone.ports.end() && !leading(policy, zone).empty() &&
           std::ranges::any_of(zone.sources, [&](base::Prefix carried) { return carried.covers(source); });
  });
}

// Another zone may have taken over what one had that is gone.
void add_gone_zones(std::vector<Harm>& result, const policy::Policy& now, const policy::Policy& then,
                    const Devices& devices) {
  for (const auto& zone : now.zones) {
    if (then.zone(zone.name) != nullptr || leading(now, zone).empty()) {
      continue;
    }
    for (const auto& port : zone.ports) {
      const auto source = std::ranges::find_if(
          zone.sources, [&](base::Prefix each) { return !is_carried(then, port, each); });
      if (devices.running.contains(port) && source != zone.sources.end()) {
        result.push_back({Harm::Kind::zone_goes, zone.name,
                          fmt::format("zone {} would be gone, and what comes in by port {} from {} dropped",
                                      zone.name, port, base::to_string(*source))});
        break;
      }
    }
  }
}

}  // namespace

auto harms(const Standing& now, const Standing& then, const Devices& devices) -> std::vector<Harm> {
  std::vector<Harm> result;
  add_ports(result, then, devices);
  add_next_hops(result, now, then);
  add_internet(result, now, then);
  add_exit(result, now.view, then.view);
  add_zones(result, now.policy, then.policy);
  add_gone_zones(result, now.policy, then.policy, devices);
  return result;
}

std::string to_string(const std::vector<Harm>& harms) {
  std::string result;
  for (const auto& harm : harms) {
    result += (result.empty() ? "" : "; ") + harm.sentence;
  }
  return result;
}

}  // namespace sekisho::sync
