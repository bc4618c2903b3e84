// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/system_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "control/route/internet.hpp"

namespace sekisho::policy {
namespace {

using base::Prefix;
using route::NextHopType;
using route::Origin;

class SystemRoutes {
 public:
  SystemRoutes(route::RouteTable& table, NextHops& next_hops, route::Names& names)
      : table_(table), next_hops_(next_hops), names_(names) {}

  void add_none(std::span<const Prefix> prefixes, std::string_view source, Origin origin = Origin::system) {
    for (const auto prefix : prefixes)
      add(prefix, origin, next_hops_.named(std::string{none}), source, 0);
  }
  void add_internet(const config::Internet& internet, const std::string& via) {
    const auto prefixes = internet.install == config::Install::halves ? std::span<const Prefix>{route::halves}
                                                                      : std::span{&route::default_route, 1};
    for (const auto prefix : prefixes)
      add(prefix, Origin::system, next_hops_.named(via), "[internet]", internet.line);
  }
  // Azure, "Virtual network traffic routing": "If you assign any of the previous address ranges within the address space of a
  // virtual network, Azure automatically changes the next hop type for the route from None to Virtual network. If you assign
  // an address range ... that includes, but isn't the same as, one of the four reserved address prefixes, Azure removes the
  // route for the prefix". With internet = true they are this product's own policy, and stay whatever the default is: private
  // space that no route names does not leave by the firewall.
  void add_private_space(const config::Zone& zone) {
    for (const auto prefix : private_space) {
      if (std::ranges::none_of(zone.vnet, [&](Prefix vnet) { return vnet.covers(prefix); }))
        add_none(std::span{&prefix, 1}, "private space",
                 zone.internet ? Origin::system : Origin::system_none);
    }
  }
  auto add_vnet(std::span<const Prefix> prefixes, NextHopType type, const config::Zone& zone)
      -> std::optional<std::string> {
    if (prefixes.empty())
      return std::nullopt;
    const auto next_hop = next_hops_.resolve({.type = type, .name = {}, .addresses = {}});
    if (!next_hop)
      return next_hop.error();
    for (const auto prefix : prefixes)
      add(prefix, Origin::vnet, *next_hop, fmt::format("zone.{}.system_routes", zone.name), zone.line);
    return std::nullopt;
  }

 private:
  void add(Prefix prefix, Origin origin, NextHop next_hop, std::string_view source, unsigned line) {
    table_.add({prefix, origin, next_hop.type, next_hop.name, names_.intern(source), line});
  }

  route::RouteTable& table_;
  NextHops& next_hops_;
  route::Names& names_;
};

}  // namespace

auto add_system_routes(route::RouteTable& table, const config::Config& config, const config::Zone& zone,
                       NextHops& next_hops, route::Names& names) -> std::optional<base::Error> {
  SystemRoutes routes{table, next_hops, names};
  routes.add_none(host_addresses, "Azure's host addresses");
  if (zone.internet)
    routes.add_internet(*config.internet, config.via_of(zone));
  if (zone.internet || zone.system_routes)
    routes.add_private_space(zone);
  auto refused = routes.add_vnet(zone.vnet, NextHopType::vnet_local, zone);
  if (!refused)
    refused = routes.add_vnet(zone.peerings, NextHopType::vnet_peering, zone);
  if (refused)
    return config.at(zone.line, fmt::format("zone {} has system_routes: {}", zone.name, *refused));
  return std::nullopt;
}

}  // namespace sekisho::policy
