#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/sync/transaction.hpp"

namespace sekisho::sync {
namespace {

// A companion is the dataplane's own: when that makes it anew, the port is no other.
std::string instance_of(const config::Port& port, const kernel::Mirror& mirror) {
  const kernel::Link* link = port.is_af_xdp() ? mirror.link_of(port) : nullptr;
  return link == nullptr ? std::string{} : fmt::format("{} {:02x}", link->index, fmt::join(link->mac, ":"));
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

}  // namespace

auto view(const config::Config& config, const kernel::Mirror& mirror, const egress::Inherited& inherited,
          const std::set<std::uint32_t>& hosts) -> View {
  View view;
  view.members = egress::members(config, mirror, inherited);
  std::set<std::uint32_t> unicast;
  for (const auto& port : config.ports) {
    view.ports.push_back({port.name, instance_of(port, mirror), egress::local_addresses(port, mirror)});
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
