// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/wanted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"

namespace sekisho::netlink {
namespace {

using Way = Request::Way;

std::string name_of(int link, const Mirror& mirror) {
  const auto found = mirror.links.find(link);
  return found == mirror.links.end() ? fmt::format("link {}", link) : found->second.name;
}

// The kernel knows a route by table and prefix; ours is replaced, so that there is no instant without one.
bool is_replaced(const Route& old, const std::set<Route>& by) {
  return std::ranges::any_of(
      by, [&](const Route& route) { return route.table == old.table && route.prefix == old.prefix; });
}

void ask_links(const Wanted& wanted, const Mirror& mirror, std::vector<Request>& result) {
  for (const int index : wanted.enabled) {
    if (const auto link = mirror.links.find(index); link != mirror.links.end() && !link->second.enabled) {
      result.push_back({Request::Enable{index}, Way::add, fmt::format("{} up", link->second.name)});
    }
  }
  for (const auto& [index, settings] : wanted.settings) {
    const auto link = mirror.links.find(index);
    if (link == mirror.links.end()) {
      continue;
    }
    const bool forwarding = settings.forwarding.value_or(link->second.forwarding) != link->second.forwarding;
    const bool rp_filter = settings.rp_filter.value_or(link->second.rp_filter) != link->second.rp_filter;
    const bool to_all = settings.drops_unicast_to_all.value_or(link->second.drops_unicast_to_all);
    if (forwarding || rp_filter || to_all != link->second.drops_unicast_to_all) {
      result.push_back({Request::Configure{index, settings}, Way::add,
                        fmt::format("forwarding {}, rp_filter {} and drop_unicast_in_l2_multicast {} of {}",
                                    settings.forwarding.value_or(link->second.forwarding) ? 1 : 0,
                                    settings.rp_filter.value_or(link->second.rp_filter), to_all ? 1 : 0,
                                    link->second.name)});
    }
  }
}

void ask_mtus(const Wanted& wanted, const Mirror& mirror, std::vector<Request>& result) {
  for (const auto& [index, mtu] : wanted.mtus) {
    if (const auto link = mirror.links.find(index); link != mirror.links.end() && link->second.mtu != mtu) {
      result.push_back(
          {Request::Resize{index, mtu}, Way::add, fmt::format("MTU {} of {}", mtu, link->second.name)});
    }
  }
}

void ask_addresses(const Wanted& wanted, const Mirror& mirror, std::vector<Request>& result) {
  const auto ask = [&](Way way, int link, const config::InterfaceAddress& address) {
    result.push_back({Request::Address{link, address}, way,
                      fmt::format("{}/{} of {}", base::address_to_string(address.address), address.length,
                                  name_of(link, mirror))});
  };
  for (const auto& [link, address] : wanted.addresses) {
    const auto there = mirror.addresses.find(link);
    if (there == mirror.addresses.end() || std::ranges::find(there->second, address) == there->second.end()) {
      ask(Way::add, link, address);
    }
  }
  for (const auto& [link, address] : mirror.own_addresses) {
    if (!wanted.addresses.contains({link, address})) {
      ask(Way::remove, link, address);
    }
  }
}

}  // namespace

std::string text_of(const Route& route, const Mirror& mirror) {
  return fmt::format("the route to {} by {} in table {}", base::to_string(route.prefix),
                     name_of(route.link, mirror), route.table);
}

std::string text_of(const Rule& rule) {
  if (rule.mark != 0) {
    return fmt::format("the rule for mark {:#x}", rule.mark);
  }
  return rule.iif.empty() ? fmt::format("the rule from {}", base::address_to_string(rule.from))
                          : fmt::format("the rule for what comes in by {}", rule.iif);
}

void Wanted::merge(Wanted other) {
  enabled.merge(other.enabled);
  addresses.merge(other.addresses);
  settings.merge(other.settings);
  mtus.merge(other.mtus);
  rules.merge(other.rules);
  for (const auto& route : other.routes) {
    if (!is_replaced(route, routes)) {
      routes.insert(route);
    }
  }
}

auto requests(const Wanted& wanted, const Mirror& mirror) -> std::vector<Request> {
  std::vector<Request> result;
  ask_links(wanted, mirror, result);
  ask_mtus(wanted, mirror, result);
  ask_addresses(wanted, mirror, result);
  for (const auto& route : wanted.routes) {
    if (!mirror.routes.contains(route)) {
      result.push_back(
          {route, is_replaced(route, mirror.routes) ? Way::replace : Way::add, text_of(route, mirror)});
    }
  }
  for (const auto& rule : wanted.rules) {
    if (!mirror.rules.contains(rule)) {
      result.push_back({rule, Way::add, text_of(rule)});
    }
  }
  for (const auto& rule : mirror.rules) {
    if (!wanted.rules.contains(rule)) {
      result.push_back({rule, Way::remove, text_of(rule)});
    }
  }
  for (const auto& route : mirror.routes) {
    if (!wanted.routes.contains(route) && !is_replaced(route, wanted.routes)) {
      result.push_back({route, Way::remove, text_of(route, mirror)});
    }
  }
  return result;
}

}  // namespace sekisho::netlink
