// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/kernel_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;

// ip-route(8), "Route types".
constexpr std::array<std::string_view, 3> dropping{"blackhole", "unreachable", "prohibit"};
constexpr std::array<std::string_view, 4> of_the_host{"local", "broadcast", "multicast", "anycast"};
// ip-route(8), RTPROTO; /etc/iproute2/rt_protos.
constexpr std::array<std::string_view, 4> of_the_system{"kernel", "redirect", "ra", "dhcp"};
constexpr std::array<std::string_view, 13> of_daemons{"bgp",  "zebra", "bird",   "ospf",  "isis",
                                                      "rip",  "eigrp", "babel",  "gated", "openr",
                                                      "xorp", "ntk",   "mrouted"};

// linux/rtnetlink.h, RTPROT_*: the numbers of those above.
struct Numbered {
  std::string_view number;
  std::string_view name;
};
constexpr std::array numbers{Numbered{"1", "redirect"}, Numbered{"2", "kernel"}, Numbered{"8", "gated"},
                             Numbered{"9", "ra"},       Numbered{"11", "zebra"}, Numbered{"12", "bird"},
                             Numbered{"14", "xorp"},    Numbered{"15", "ntk"},   Numbered{"16", "dhcp"},
                             Numbered{"17", "mrouted"}, Numbered{"42", "babel"}, Numbered{"99", "openr"},
                             Numbered{"186", "bgp"},    Numbered{"187", "isis"}, Numbered{"188", "ospf"},
                             Numbered{"189", "rip"},    Numbered{"192", "eigrp"}};

bool is_among(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view name_of(std::string_view protocol) {
  const auto* const number = std::ranges::find(numbers, protocol, &Numbered::number);
  return number == numbers.end() ? protocol : number->name;
}

Origin origin_of(std::string_view protocol) {
  if (is_among(of_the_system, protocol))
    return Origin::system;
  return is_among(of_daemons, protocol) ? Origin::bgp : Origin::user;
}

// "default" and "0x00" are those of packets without a mark (/etc/iproute2/rt_dsfield).
bool is_of_all_packets(std::string_view tos) {
  return tos == "default" || tos.find_first_not_of("0x") == std::string_view::npos;
}

}  // namespace

auto KernelRoutes::refuse(const KernelRoute& route, std::string reason) const -> Refusal {
  return tl::unexpected(base::Error{routes_.result.file, route.line, std::move(reason), route.path});
}

auto KernelRoutes::table_of(const KernelRoute& route) -> tl::expected<std::uint16_t, base::Error> {
  const auto known = tables_.find(route.table);
  if (known != tables_.end())
    return known->second;
  const auto added = routes_.add_table({.name = route.table, .place = "table " + route.table}, route.path);
  if (added)
    tables_.emplace(route.table, *added);
  return added;
}

auto KernelRoutes::next_hop(const KernelRoute& route, bool is_connected)
    -> tl::expected<NextHop, base::Error> {
  NextHop result{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {}};
  bool by_weight = false;
  for (const auto& hop : route.hops) {
    if (hop.is_dead)
      continue;
    if (hop.is_encapsulated)
      return refuse(route, "puts packets into others (\"encap\"), which is not read");
    if (hop.gateway.empty()) {
      if (route.hops.size() > 1)
        return refuse(route, "has a next hop without a gateway among several");
      if (is_connected)
        return NextHop{.type = NextHopType::vnet_local, .name = {}, .addresses = {}};
      if (hop.device.empty())
        return refuse(route, "has neither a gateway nor an interface");
      return NextHop{.type = NextHopType::named, .name = hop.device, .addresses = {}};
    }
    const auto address = parse_next_hop_address(hop.gateway);
    if (!address)
      return refuse(route, address.error());
    by_weight = by_weight || hop.weight != route.hops.front().weight;
    if (std::ranges::find(result.addresses, *address) == result.addresses.end())
      result.addresses.push_back(*address);
  }
  if (result.addresses.empty())
    return refuse(route, "has neither a gateway nor an interface");
  if (result.addresses.size() > most_ecmp)
    return refuse(route, fmt::format("has more than {} next hops", most_ecmp));
  if (by_weight)
    routes_.find(
        base::Severity::warning, route.path,
        fmt::format("{} has next hops of different weights, and all are taken alike", route.destination),
        route.line);
  if (result.addresses.size() > 1)
    result.type = NextHopType::virtual_appliance_ecmp;
  return result;
}

auto KernelRoutes::add(const KernelRoute& route) -> tl::expected<void, base::Error> {
  if (is_among(of_the_host, route.type)) {
    ++own_;
    return {};
  }
  const auto is_dropped = is_among(dropping, route.type);
  if (!is_dropped && route.type != "unicast")
    return refuse(route,
                  fmt::format("is a route of type {}, which is not read", base::in_quotes(route.type)));
  const auto table = table_of(route);
  if (!table)
    return tl::unexpected(table.error());
  const auto opened = routes_.open(*table);
  if (route.is_ipv6 || route.destination.find(':') != std::string::npos) {
    routes_.leave_out_ipv6();
    return {};
  }
  if (!is_of_all_packets(route.tos)) {
    routes_.find(base::Severity::error, route.path,
                 fmt::format("{} is left out: it is one of packets of TOS {} only", route.destination,
                             base::in_quotes(route.tos)),
                 route.line);
    return {};
  }
  // "default" is 0/0, and an address without a length is that host.
  const auto has_length = route.destination.find('/') != std::string::npos;
  const auto prefix = base::parse_prefix(route.destination == "default" ? "0.0.0.0/0"
                                         : has_length                   ? route.destination
                                                                        : route.destination + "/32");
  if (!prefix)
    return refuse(route, prefix.error());
  const auto protocol = name_of(route.protocol);
  RouteCollector::Written written{.prefix = *prefix, .origin = origin_of(protocol), .line = route.line};
  const auto is_dead =
      !is_dropped && !route.hops.empty() && std::ranges::all_of(route.hops, &KernelHop::is_dead);
  if (is_dropped || is_dead) {
    written.next_hop.type = NextHopType::none;
    written.in_force = is_dropped;
    if (is_dead)
      routes_.find(base::Severity::warning, route.path,
                   fmt::format("{} is dead, and not followed", route.destination), route.line);
  } else {
    auto hop = next_hop(route, protocol == "kernel");
    if (!hop)
      return tl::unexpected(std::move(hop.error()));
    written.next_hop = std::move(*hop);
  }
  candidates_.add(route.metric, *table, std::move(written), route.path);
  return {};
}

void KernelRoutes::finish() {
  candidates_.finish(routes_, "metric");
  routes_.find_own(own_);
}

}  // namespace sekisho::formats
