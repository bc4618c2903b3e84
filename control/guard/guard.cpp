// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/guard.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/mac_address.hpp"
#include "control/reach/host_stack.hpp"

namespace sekisho::guard {
namespace {

constexpr std::size_t longest_name = 15;  // IFNAMSIZ with its NUL is 16

void add(Guard& guard, const netlink::Link& link) {
  guard.links.insert(link.index);
  if (is_quotable(link.name)) {
    guard.names.insert(link.name);
  }
  if (link.mac != base::MacAddress{}) {
    guard.stations.insert(link.mac);
  }
}

std::vector<base::Prefix> united(const std::vector<base::Prefix>& one,
                                 const std::vector<base::Prefix>& other) {
  std::vector<base::Prefix> all;
  std::ranges::merge(one, other, std::back_inserter(all));
  std::vector<base::Prefix> result;
  for (const auto prefix : all) {
    if (result.empty() || !result.back().covers(prefix)) {
      result.push_back(prefix);
    }
  }
  return result;
}

}  // namespace

auto remember(const Guard& before, Guard now) -> Guard {
  now.names.insert(before.names.begin(), before.names.end());
  now.links.insert(before.links.begin(), before.links.end());
  now.stations.insert(before.stations.begin(), before.stations.end());
  return now;
}

auto follow(Guard guard, const netlink::Mirror& mirror) -> Guard {
  for (const auto& [index, link] : mirror.links) {
    if (guard.stations.contains(link.mac)) {
      guard.links.insert(index);
    }
  }
  return guard;
}

auto merge(const Guard& before, const Guard& after) -> Guard {
  Guard both = remember(before, after);
  both.allow.reset();
  if (before.allow && after.allow) {
    auto& allow = both.allow.emplace();
    std::ranges::set_intersection(*before.allow, *after.allow, std::inserter(allow, allow.end()));
  }
  both.exit = after.exit ? after.exit : before.exit;
  if (both.exit) {
    both.exceptions = united(before.exceptions, after.exceptions);
  }
  return both;
}

auto missing_ports(const config::Config& config, const netlink::Mirror& mirror)
    -> std::vector<const config::Port*> {
  std::vector<const config::Port*> missing;
  for (const auto& port : config.ports) {
    if (port.has_netdev() && mirror.link_of(port) == nullptr) {
      missing.push_back(&port);
    }
  }
  return missing;
}

auto ports_of(const config::Config& config, const netlink::Mirror& mirror) -> Guard {
  Guard guard;
  std::ranges::copy_if(config.guarded_netdevs(), std::inserter(guard.names, guard.names.end()), is_quotable);
  for (const auto& port : config.ports) {
    if (const netlink::Link* link = mirror.link_of(port)) {
      add(guard, *link);
    }
  }
  if (const netlink::Link* exit = mirror.link(std::string{config::exit_netdev})) {
    add(guard, *exit);
  }
  if (!config.guard.whole_host) {
    auto& allow = guard.allow.emplace();
    if (missing_ports(config, mirror).empty()) {
      allow.insert(config.guard.allow.begin(), config.guard.allow.end());
    }
  }
  return guard;
}

auto guard_of(const config::Config& config, const std::vector<base::Prefix>& exceptions,
              const netlink::Mirror& mirror) -> Guard {
  Guard guard = ports_of(config, mirror);
  if (const auto links = reach::exit_links(config, mirror)) {
    guard.exit = Exit{.in = links->first, .out = links->second};
    guard.exceptions = exceptions;
  }
  return guard;
}

bool is_quotable(std::string_view interface) {
  return !interface.empty() && interface.size() <= longest_name &&
         interface.find_first_of("\"\\*\n") == std::string_view::npos;
}

}  // namespace sekisho::guard
