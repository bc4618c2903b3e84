// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::sync {
namespace {

std::vector<base::Prefix> subnets_of(const config::Port& port, const netlink::Mirror& mirror) {
  std::set<base::Prefix> subnets;
  for (const auto& address : reach::port_addresses(port, mirror)) {
    subnets.insert(reach::subnet(address));
  }
  return {subnets.begin(), subnets.end()};
}

// It may be a member of a next hop as well.
void add_host(View& view, const reach::Member& host) {
  view.hosts.push_back({reach::host_name(host.address), host.port, host.address});
  const auto key = [](const reach::Member& member) { return std::pair(member.port, member.address); };
  const auto place = std::ranges::lower_bound(view.members, key(host), {}, key);
  if (place == view.members.end() || key(*place) != key(host)) {
    view.members.insert(place, host);
  }
}

// A companion is the dataplane's own: when that makes it anew, the port is no other. An interface that is not there is
// named as the configuration does, for the dataplane to refuse it; by a name that another port's has by now, it would have
// that port's.
auto port_of(const config::Port& port, const config::Config& config, const netlink::Mirror& mirror)
    -> View::PortAddresses {
  View::PortAddresses result{.port = port.name,
                             .instance = {},
                             .local = reach::local_addresses(port, mirror),
                             .subnets = subnets_of(port, mirror)};
  if (const auto& addresses = reach::port_addresses(port, mirror); !addresses.empty()) {
    result.primary = addresses.front().address;
  }
  if (!port.is_af_xdp()) {
    return result;
  }
  if (const netlink::Link* link = mirror.link_of(port)) {
    result.device = fmt::format("af_xdp:{}", link->name);
    result.instance = instance_of(*link, mirror);
    result.link = link->index;
    result.mtu = link->mtu;
    return result;
  }
  for (const auto& other : config.ports) {
    const netlink::Link* link = other.is_af_xdp() ? mirror.link_of(other) : nullptr;
    if (link != nullptr && link->name == *port.netdev()) {
      result.device = fmt::format("{} (of port {})", port.device, other.name);
    }
  }
  return result;
}

}  // namespace

auto instance_of(const netlink::Link& link, const netlink::Mirror& mirror) -> std::string {
  const auto returns = mirror.returns.find(link.index);
  return fmt::format("{} {:02x}{}", link.index, fmt::join(link.mac, ":"),
                     returns == mirror.returns.end() ? std::string{} : fmt::format(" {}", returns->second));
}

auto view(const config::Config& config, const netlink::Mirror& mirror, const reach::Inherited& inherited,
          const std::set<std::uint32_t>& hosts) -> View {
  View view;
  view.members = reach::members(config, mirror, inherited);
  std::set<std::uint32_t> unicast;
  for (const auto& port : config.ports) {
    view.ports.push_back(port_of(port, config, mirror));
    std::ranges::copy(reach::unicast_addresses(port, mirror), std::inserter(unicast, unicast.end()));
  }
  view.unicast.assign(unicast.begin(), unicast.end());
  view.connected = reach::connected(config, mirror);
  for (const auto address : hosts) {
    const auto host = reach::member(address, config, mirror, inherited);
    if (host.alive && reach::has_host(view.connected, address)) {
      add_host(view, host);
    }
  }
  view.exit = reach::exit(config, mirror);
  return view;
}

}  // namespace sekisho::sync
