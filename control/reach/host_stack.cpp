// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/host_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "common/base/prefix.hpp"

namespace sekisho::reach {
namespace {

constexpr std::uint32_t way_in_priority = 8301;
constexpr std::uint32_t way_back_priority = 8302;
constexpr std::uint32_t source_priority = 8303;
constexpr std::uint32_t way_back_table = 830'000;

constexpr int loose_rp_filter = 2;  // RFC 3704, 2.4

std::uint32_t table_of(const netlink::Link& link) {
  return way_back_table + static_cast<std::uint32_t>(link.index);
}

auto addresses_of(const netlink::Link& link, const netlink::Mirror& mirror)
    -> std::span<const config::InterfaceAddress> {
  const auto found = mirror.addresses.find(link.index);
  return found == mirror.addresses.end() ? std::span<const config::InterfaceAddress>{} : found->second;
}

// The port's interface, if it is there and is what the dataplane made.
const netlink::Link* link_of(const config::Port& port, const netlink::Mirror& mirror) {
  const netlink::Link* link = mirror.link_of(port);
  return link != nullptr && (port.is_af_xdp() || link->alias == companion_alias(port)) ? link : nullptr;
}

const netlink::Link* way_in(const netlink::Mirror& mirror) {
  const netlink::Link* link = mirror.link(std::string{config::exit_netdev});
  return link != nullptr && link->alias == exit_alias ? link : nullptr;
}

// A link that is down takes no routes.
void add_table(const config::Port& port, const netlink::Link& link, const netlink::Mirror& mirror,
               std::set<netlink::Route>& routes) {
  if (!link.enabled) {
    return;
  }
  for (const auto& own : addresses_of(link, mirror)) {
    base::Prefix subnet{own.address, own.length};
    subnet.address &= subnet.mask();
    if (subnet.length < 32) {
      routes.insert({table_of(link), subnet, 0, link.index});
    }
  }
  if (addresses_of(link, mirror).empty()) {
    return;
  }
  const auto gateway = gateway_of(port, mirror);
  routes.insert(gateway ? netlink::Route{table_of(link), {}, *gateway, link.index}
                        : netlink::Route{table_of(link), azure_host, 0, link.index});
}

}  // namespace

auto companion_alias(const config::Port& port) -> std::string {
  return fmt::format("sekisho port {}", port.name);
}

auto exit_port(const config::Config& config) -> const config::Port* {
  if (!config.internet || !config.internet->exit) {
    return nullptr;
  }
  const auto found = std::ranges::find(config.ports, *config.internet->exit, &config::Port::name);
  return found == config.ports.end() ? nullptr : &*found;
}

auto gateway_of(const config::Port& port, const netlink::Mirror& mirror) -> std::optional<std::uint32_t> {
  if (port.gateway) {
    return port.gateway;
  }
  const netlink::Link* link = mirror.link_of(port);
  if (link == nullptr) {
    return std::nullopt;
  }
  // Sorted by link and metric: the kernel takes the smallest.
  const auto first = mirror.defaults.lower_bound({link->index, 0, 0});
  return first != mirror.defaults.end() && first->link == link->index ? std::optional(first->gateway)
                                                                      : std::nullopt;
}

auto exit_links(const config::Config& config, const netlink::Mirror& mirror)
    -> std::optional<std::pair<int, int>> {
  const config::Port* port = exit_port(config);
  const netlink::Link* in = way_in(mirror);
  const netlink::Link* out = port == nullptr ? nullptr : link_of(*port, mirror);
  return in != nullptr && out != nullptr ? std::optional(std::pair{in->index, out->index}) : std::nullopt;
}

auto exit_stack(const config::Config& config, const netlink::Mirror& mirror) -> netlink::Wanted {
  netlink::Wanted wanted;
  const auto links = exit_links(config, mirror);
  if (!links) {
    return wanted;
  }
  const config::Port* port = exit_port(config);
  const netlink::Link* in = &mirror.links.at(links->first);
  const netlink::Link* out = &mirror.links.at(links->second);
  wanted.enabled.insert(in->index);
  wanted.settings[in->index] = {.forwarding = true, .rp_filter = 0};
  // Of these two alone. What a reply is once translated back has no route by the exit: a strict test would drop it.
  wanted.settings[out->index] = {
      .forwarding = true, .rp_filter = out->rp_filter == 1 ? std::optional(loose_rp_filter) : std::nullopt};
  wanted.rules.insert({way_in_priority, 0, in->name, table_of(*out)});
  wanted.rules.insert({way_back_priority, 0, out->name, way_back_table});
  add_table(*port, *out, mirror, wanted.routes);
  if (in->enabled) {
    wanted.routes.insert({way_back_table, {}, 0, in->index});
  }
  return wanted;
}

auto host_stack(const config::Config& config, const netlink::Mirror& mirror) -> netlink::Wanted {
  auto wanted = exit_stack(config, mirror);
  for (const auto& port : config.ports) {
    const netlink::Link* link = link_of(port, mirror);
    if (link == nullptr) {
      continue;
    }
    // RFC 1122, 3.3.6: "a host SHOULD silently discard a datagram that is received via a link-layer broadcast [...] but does not
    // specify an IP multicast or broadcast destination address." Linux does so where it is told to.
    wanted.settings[link->index].drops_unicast_to_all = true;
    if (port.is_af_xdp() && port.mtu != 0) {
      wanted.mtus.emplace(link->index, port.mtu);
    }
    if (!port.is_af_xdp()) {
      wanted.enabled.insert(link->index);
      for (const auto& address : port.addresses) {
        wanted.addresses.emplace(link->index, address);
      }
    }
    for (const auto& own : addresses_of(*link, mirror)) {
      wanted.rules.insert({source_priority, own.address, {}, table_of(*link)});
    }
    add_table(port, *link, mirror, wanted.routes);
  }
  return wanted;
}

auto exit_neighbour(const config::Config& config, const netlink::Mirror& mirror)
    -> std::optional<netlink::NeighbourKey> {
  const config::Port* port = exit_port(config);
  const netlink::Link* link = port == nullptr ? nullptr : mirror.link_of(*port);
  const auto gateway = link == nullptr ? std::nullopt : gateway_of(*port, mirror);
  return gateway ? std::optional(netlink::NeighbourKey{link->index, *gateway}) : std::nullopt;
}

}  // namespace sekisho::reach
