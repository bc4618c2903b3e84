// SPDX-License-Identifier: BSD-3-Clause
// Compute Engine API, Route. "If there is a tie, the system selects the route with the smallest priority value."
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/clouds.hpp"
#include "control/formats/preferred.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Read = tl::expected<void, base::Error>;

// "https://www.googleapis.com/compute/v1/projects/p/global/networks/default" -> "default"
auto last_part(const std::string& url) -> std::string {
  return url.substr(url.rfind('/') + 1);
}

// A route has one of them.
constexpr std::array<std::pair<std::string_view, NextHopType>, 7> next_hops{
    {{"nexthopnetwork", NextHopType::vnet_local},
     {"nexthoppeering", NextHopType::vnet_peering},
     {"nexthopvpntunnel", NextHopType::virtual_network_gateway},
     {"nexthopinterconnectattachment", NextHopType::virtual_network_gateway},
     {"nexthophub", NextHopType::virtual_network_gateway},
     {"nexthopinstance", NextHopType::named},
     {"nexthopilb", NextHopType::named}}};

class GcloudReader {
 public:
  explicit GcloudReader(RouteCollector& routes) : routes_(routes) {}

  auto route(const Json& route, const std::string& path) -> Read {
    const auto members = Members::of(route, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    for (const auto* key : {"name", "network", "destrange", "routetype", "routestatus"})
      if (const auto text = members->string(key); !text)
        return tl::unexpected(text.error());
    const auto text = [&](std::string_view key) {
      const auto* value = members->find(key);
      return value == nullptr ? std::string{} : value->get<std::string>();
    };
    const auto table = table_of(last_part(text("network")), path);
    if (!table)
      return tl::unexpected(table.error());
    const auto opened = routes_.open(*table);
    const auto name = text("name");
    const auto destination = text("destrange");
    if (destination.find(':') != std::string::npos) {
      routes_.leave_out_ipv6();
      return {};
    }
    const auto prefix = base::parse_prefix(destination);
    if (!prefix)
      return members->refuse("destrange", prefix.error());
    if (const auto* tags = members->find("tags"); tags != nullptr && !tags->empty()) {
      routes_.find(base::Severity::error, members->where("tags"),
                   fmt::format("route {} is left out: it is one of instances "
                               "with certain tags only",
                               base::in_quotes(name)));
      return {};
    }
    auto hop = next_hop(*members);
    if (!hop)
      return tl::unexpected(std::move(hop.error()));
    constexpr std::uint64_t otherwise = 1000;
    const auto* priority = members->find("priority");
    if (priority != nullptr && !priority->is_number_unsigned())
      return members->refuse("priority",
                             fmt::format("is {} where a number is expected", type_name(*priority)));
    const auto type = text("routetype");
    const auto status = text("routestatus");
    const auto is_vnet = hop->type == NextHopType::vnet_local || hop->type == NextHopType::vnet_peering;
    candidates_.add(
        priority == nullptr ? otherwise : priority->get<std::uint64_t>(), *table,
        {.prefix = *prefix,
         .origin = type == "BGP" || hop->type == NextHopType::virtual_network_gateway ? Origin::bgp
                   : is_vnet                                                          ? Origin::vnet
                                                                                      : Origin::user,
         .next_hop = std::move(*hop),
         .label = name,
         .in_force = status.empty() || status == "ACTIVE"},
        path);
    return {};
  }

  void finish() { candidates_.finish(routes_, "priority"); }

 private:
  auto table_of(const std::string& network, const std::string& path)
      -> tl::expected<std::uint16_t, base::Error> {
    const auto known = tables_.find(network);
    if (known != tables_.end())
      return known->second;
    const auto added = routes_.add_table({.name = network, .place = {}}, path);
    if (added)
      tables_.emplace(network, *added);
    return added;
  }

  static auto next_hop(const Members& members) -> tl::expected<NextHop, base::Error> {
    const auto of_address = [&](std::string_view key,
                                const std::string& text) -> tl::expected<NextHop, base::Error> {
      const auto address = parse_next_hop_address(text);
      if (!address)
        return members.refuse(key, address.error());
      return NextHop{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {*address}};
    };
    const auto address = members.string("nexthopip");
    const auto gateway = members.string("nexthopgateway");
    if (!address || !gateway)
      return tl::unexpected(address ? gateway.error() : address.error());
    if (*address != nullptr)
      return of_address("nexthopip", **address);
    if (*gateway != nullptr) {
      if (last_part(**gateway) != "default-internet-gateway")
        return members.refuse("nexthopgateway",
                              fmt::format("{} is no gateway that is known here", base::in_quotes(**gateway)));
      return NextHop{.type = NextHopType::internet, .name = {}, .addresses = {}};
    }
    for (const auto& [key, type] : next_hops) {
      const auto text = members.string(key);
      if (!text)
        return tl::unexpected(text.error());
      if (*text == nullptr)
        continue;
      const auto name = last_part(**text);
      // An internal load balancer is told by its address or by its forwarding rule.
      if (key == "nexthopilb" && base::parse_address(name))
        return of_address(key, name);
      return NextHop{.type = type, .name = type == NextHopType::named ? name : "", .addresses = {}};
    }
    return members.refuse("", "is a route without a next hop that is known here");
  }

  RouteCollector& routes_;
  std::map<std::string, std::uint16_t> tables_;
  Preferred candidates_;
};

// gcloud prints the list alone, the API has it in "items".
auto routes_of(const Content& content) -> std::pair<const Json*, std::string> {
  if (content.list != nullptr)
    return {content.list, content.list_path};
  const auto* items = find_member(*content.document, "items");
  return {items != nullptr && items->is_array() ? items : nullptr, "$.items"};
}

}  // namespace

bool holds_gcloud_routes(const Content& content) {
  const auto [list, path] = routes_of(content);
  return list != nullptr && std::ranges::any_of(*list, [](const Json& each) {
           return find_member(each, "destRange") != nullptr;
         });
}

auto read_gcloud_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::gcloud};
  if (content.list == nullptr && find_member(*content.document, "nextPageToken") != nullptr)
    return tl::unexpected(base::Error{content.file, 0, "the list goes on behind this token; save all of it",
                                      "$.nextPageToken"});
  const auto [list, path] = routes_of(content);
  if (list == nullptr)
    return tl::unexpected(base::Error{content.file, 0, "there is no array of routes", "$"});
  GcloudReader reader{routes};
  for (std::size_t i = 0; i < list->size(); ++i)
    if (const auto read = reader.route((*list)[i], element_path(path, i)); !read)
      return tl::unexpected(read.error());
  reader.finish();
  return std::move(routes.result);
}

}  // namespace sekisho::formats
