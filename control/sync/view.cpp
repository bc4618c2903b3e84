#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/sync/transaction.hpp"

namespace sekisho::sync {
namespace {

std::vector<fib::Prefix> subnets_of(const config::Port& port, const kernel::Mirror& mirror) {
  std::set<fib::Prefix> subnets;
  for (const auto& address : egress::port_addresses(port, mirror)) {
    subnets.insert(egress::subnet(address));
  }
  return {subnets.begin(), subnets.end()};
}

// It may be a member of a next hop as well.
void add_host(View& view, const egress::Member& host) {
  view.hosts.push_back({egress::host_name(host.address), host.port, host.address});
  const auto key = [](const egress::Member& member) { return std::pair(member.port, member.address); };
  const auto place = std::ranges::lower_bound(view.members, key(host), {}, key);
  if (place == view.members.end() || key(*place) != key(host)) {
    view.members.insert(place, host);
  }
}

// A companion is the dataplane's own: when that makes it anew, the port is no other. An interface that is not there is
// named as the configuration does, for the dataplane to refuse it; by a name that another port's has by now, it would have
// that port's.
auto port_of(const config::Port& port, const config::Config& config, const kernel::Mirror& mirror)
    -> View::PortAddresses {
  View::PortAddresses result{.port = port.name,
                             .instance = {},
                             .local = egress::local_addresses(port, mirror),
                             .subnets = subnets_of(port, mirror)};
  if (!port.is_af_xdp()) {
    return result;
  }
  if (const kernel::Link* link = mirror.link_of(port)) {
    result.device = fmt::format("af_xdp:{}", link->name);
    result.instance = instance_of(*link, mirror);
    result.link = link->index;
    result.mtu = link->mtu;
    return result;
  }
  for (const auto& other : config.ports) {
    const kernel::Link* link = other.is_af_xdp() ? mirror.link_of(other) : nullptr;
    if (link != nullptr && link->name == *port.netdev()) {
      result.device = fmt::format("{} (of port {})", port.device, other.name);
    }
  }
  return result;
}

}  // namespace

auto instance_of(const kernel::Link& link, const kernel::Mirror& mirror) -> std::string {
  const auto returns = mirror.returns.find(link.index);
  return fmt::format("{} {:02x}{}", link.index, fmt::join(link.mac, ":"),
                     returns == mirror.returns.end() ? std::string{} : fmt::format(" {}", returns->second));
}

auto view(const config::Config& config, const kernel::Mirror& mirror, const egress::Inherited& inherited,
          const std::set<std::uint32_t>& hosts) -> View {
  View view;
  view.members = egress::members(config, mirror, inherited);
  std::set<std::uint32_t> unicast;
  for (const auto& port : config.ports) {
    view.ports.push_back(port_of(port, config, mirror));
    std::ranges::copy(egress::unicast_addresses(port, mirror), std::inserter(unicast, unicast.end()));
  }
  view.unicast.assign(unicast.begin(), unicast.end());
  view.connected = egress::connected(config, mirror);
  for (const auto address : hosts) {
    const auto host = egress::member(address, config, mirror, inherited);
    if (host.alive && egress::has_host(view.connected, address)) {
      add_host(view, host);
    }
  }
  view.exit = egress::exit(config, mirror);
  return view;
}

}  // namespace sekisho::sync
