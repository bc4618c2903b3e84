// SPDX-License-Identifier: BSD-3-Clause
// Azure REST API: VirtualHubEffectiveRoute, HubRoute, VirtualHubRoute (classic), and Virtual Network Manager's RoutingRule.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "control/formats/learned_routes.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Read = tl::expected<void, base::Error>;

bool is_hub_route(const Json& value) {
  return find_member(value, "addressPrefixes") != nullptr || find_member(value, "destinations") != nullptr;
}

bool is_routing_rule(const Json& value) {
  const auto* properties = find_member(value, "properties");
  const auto& of = properties == nullptr ? value : *properties;
  const auto* destination = find_member(of, "destination");
  const auto* hop = find_member(of, "nextHop");
  return destination != nullptr && destination->is_object() && hop != nullptr && hop->is_object();
}

// "/subscriptions/../virtualHubs/hub2" -> "hub2"
auto name_of_resource(const std::string& id) -> std::string {
  return id.substr(id.rfind('/') + 1);
}

class HubReader {
 public:
  explicit HubReader(RouteCollector& routes) : routes_(routes) {}

  auto list(const Json& list, const std::string& path) -> Read {
    for (std::size_t i = 0; i < list.size(); ++i)
      if (const auto done = route(list[i], element_path(path, i)); !done)
        return done;
    return {};
  }

  void finish() {
    std::map<base::Prefix, const Path*> best;
    for (const auto& each : paths_) {
      const auto [entry, added] = best.try_emplace(each.route.prefix, &each);
      if (!added && each.length < entry->second->length)
        entry->second = &each;
    }
    for (const auto& each : paths_) {
      const auto& other = *best.at(each.route.prefix);
      auto route = each.route;
      if (route.next_hop != other.route.next_hop) {
        route.in_force = false;
        routes_.find(base::Severity::warning, each.path,
                     fmt::format("{} by {} is not taken: by {} {}", base::to_string(route.prefix),
                                 to_string(route.next_hop), to_string(other.route.next_hop),
                                 other.length < each.length ? "the AS path is shorter" : "it stands before"));
      }
      routes_.add(std::move(route));
    }
  }

 private:
  struct Path {
    RouteCollector::Written route;
    std::size_t length = 0;  // of the AS path
    std::string path;        // JSONPath
  };

  auto route(const Json& object, const std::string& path) -> Read {
    const auto members = Members::of(object, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto* list = members->find("addressprefixes");
    const auto key = std::string_view{list != nullptr ? "addressprefixes" : "destinations"};
    if (list == nullptr)
      list = members->find(key);
    if (list == nullptr || !list->is_array() || list->empty())
      return members->refuse(key, "is not an array of at least one prefix");
    const auto name = members->string("name");
    const auto type = members->string("destinationtype");
    const auto as_path = members->string("aspath");
    if (!name || !type || !as_path)
      return tl::unexpected(!name ? name.error() : !type ? type.error() : as_path.error());
    if (*type != nullptr && !base::equal_without_case(**type, "CIDR"))
      return members->refuse("destinationtype",
                             fmt::format("{} is not read, only CIDR", base::in_quotes(**type)));
    const auto hop = next_hop(*members);
    if (!hop)
      return tl::unexpected(hop.error());
    // What a hub learned has an AS path or says where it is from; the rest somebody wrote.
    const auto is_learned = members->find("aspath") != nullptr || members->find("routeorigin") != nullptr;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto place = element_path(members->where(key), i);
      const auto destination = (*list)[i].is_string()
                                   ? parse_destination((*list)[i].get_ref<const std::string&>())
                                   : tl::unexpected(std::string{"is no prefix"});
      if (!destination || destination->kind == DestinationKind::tag)
        return tl::unexpected(
            base::Error{routes_.result.file, 0,
                        destination ? "a service tag is not read here" : destination.error(), place});
      if (destination->kind == DestinationKind::ipv6) {
        routes_.leave_out_ipv6();
        continue;
      }
      paths_.push_back({.route = {.prefix = destination->prefix,
                                  .origin = is_learned ? Origin::bgp : Origin::user,
                                  .next_hop = *hop,
                                  .label = *name == nullptr ? "" : **name},
                        .length = length_of_as_path(*as_path == nullptr ? "" : **as_path),
                        .path = place});
    }
    return {};
  }

  auto next_hop(const Members& members) -> tl::expected<NextHop, base::Error> {
    const auto address = members.string("nexthopipaddress");
    const auto one = members.string("nexthop");
    if (!address || !one)
      return tl::unexpected(address ? one.error() : address.error());
    const auto* several = members.find("nexthops");
    if (several != nullptr && (!several->is_array() || !std::ranges::all_of(*several, &Json::is_string)))
      return members.refuse("nexthops", "is not an array of strings");
    std::vector<std::string> words;
    if (*address != nullptr && !(*address)->empty())
      words.push_back(**address);
    else if (*one != nullptr && !(*one)->empty())
      words.push_back(**one);
    else if (several != nullptr)
      words = several->get<std::vector<std::string>>();
    NextHop result{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {}};
    std::vector<std::string> names;
    for (const auto& word : words) {
      if (const auto parsed = base::parse_address(word))
        result.addresses.push_back(*parsed);
      else
        names.push_back(name_of_resource(word));
    }
    if (words.empty() || (!names.empty() && !result.addresses.empty()) || result.addresses.size() > most_ecmp)
      return members.refuse("nexthops", words.empty() ? "is a route without a next hop"
                                                      : "are next hops of two kinds, or too many");
    if (names.empty()) {
      if (result.addresses.size() > 1)
        result.type = NextHopType::virtual_appliance_ecmp;
      return result;
    }
    if (names.size() > 1)
      routes_.find(base::Severity::warning, members.where("nexthops"),
                   fmt::format("has {} next hops that are resources, of which "
                               "the first is taken, {}",
                               names.size(), base::in_quotes(names.front())));
    return NextHop{.type = NextHopType::named, .name = names.front(), .addresses = {}};
  }

  RouteCollector& routes_;
  std::vector<Path> paths_;
};

class RuleReader {
 public:
  explicit RuleReader(RouteCollector& routes, std::uint16_t table) : routes_(routes), table_(table) {}

  auto rule(const Json& object, const std::string& path) -> Read {
    const auto members = Members::of(object, path, routes_.result.file, true);
    if (!members)
      return tl::unexpected(members.error());
    const auto name = members->string("name");
    if (!name)
      return tl::unexpected(name.error());
    for (const auto* key : {"destination", "nexthop"})
      if (members->find(key) == nullptr)
        return members->refuse(key, "is a rule without a destination or a next hop");
    const auto to =
        Members::of(*members->find("destination"), members->where("destination"), routes_.result.file);
    const auto hop = Members::of(*members->find("nexthop"), members->where("nexthop"), routes_.result.file);
    if (!to || !hop)
      return tl::unexpected(to ? hop.error() : to.error());
    const auto destination = to->string("destinationaddress");
    if (!destination)
      return tl::unexpected(destination.error());
    if (*destination == nullptr)
      return to->refuse("destinationaddress", "is a destination without an address");
    const auto parsed = parse_destination(**destination);
    if (!parsed)
      return to->refuse("destinationaddress", parsed.error());
    const auto next = next_hop(*hop);
    if (!next)
      return tl::unexpected(next.error());
    const std::string label = *name == nullptr ? "" : **name;
    if (parsed->kind == DestinationKind::ipv6) {
      routes_.leave_out_ipv6();
    } else if (parsed->kind == DestinationKind::ipv4) {
      routes_.add({.prefix = parsed->prefix, .next_hop = *next, .label = label});
    } else {
      routes_.result.tag_routes.push_back({.tag = **destination,
                                           .next_hop = routes_.next_hop(*next),
                                           .label = routes_.label(label),
                                           .path = to->where("destinationaddress"),
                                           .table = table_});
      ++routes_.result.tables[table_].routes;
      ++routes_.result.tables[table_].tags;
    }
    return {};
  }

 private:
  // "RoutingRuleNextHopType": Internet, NoNextHop, VirtualAppliance, VirtualNetworkGateway, VnetLocal.
  static auto next_hop(const Members& members) -> tl::expected<NextHop, base::Error> {
    const auto word = members.string("nexthoptype");
    const auto address = members.string("nexthopaddress");
    if (!word || !address)
      return tl::unexpected(word ? address.error() : word.error());
    if (*word == nullptr)
      return members.refuse("nexthoptype", "nextHopType is missing");
    const auto type = base::equal_without_case(**word, "NoNextHop") ? std::optional{NextHopType::none}
                                                                    : route::parse_next_hop_type(**word);
    if (!type || route::is_output_only(*type) || *type == NextHopType::virtual_appliance_ecmp)
      return members.refuse("nexthoptype",
                            fmt::format("{} is no next-hop type of a rule", base::in_quotes(**word)));
    NextHop result{.type = *type, .name = {}, .addresses = {}};
    if (*type != NextHopType::virtual_appliance)
      return result;
    if (*address == nullptr)
      return members.refuse("nexthopaddress", "a VirtualAppliance needs its nextHopAddress");
    // Since API 2025-07-01, "10.0.2.20,10.0.2.21", too.
    if ((*address)->find(',') != std::string::npos) {
      auto several = parse_next_hop(**address);
      if (!several)
        return members.refuse("nexthopaddress", several.error());
      return std::move(*several);
    }
    const auto parsed = parse_next_hop_address(**address);
    if (!parsed)
      return members.refuse("nexthopaddress", parsed.error());
    result.addresses = {*parsed};
    return result;
  }

  RouteCollector& routes_;
  std::uint16_t table_;
};

auto hub_list(const Content& content) -> std::pair<const Json*, std::string> {
  if (content.list != nullptr)
    return {content.list, content.list_path};
  const auto* routes = find_member(*content.document, "routes");
  const auto* properties = find_member(*content.document, "properties");
  const auto* inner =
      routes == nullptr && properties != nullptr ? find_member(*properties, "routes") : nullptr;
  if (inner != nullptr)
    return {inner->is_array() ? inner : nullptr, "$.properties.routes"};
  return {routes != nullptr && routes->is_array() ? routes : nullptr, "$.routes"};
}

}  // namespace

bool holds_hub_routes(const Content& content) {
  const auto [list, path] = hub_list(content);
  return list != nullptr && std::ranges::any_of(*list, is_hub_route);
}

auto read_hub_routes(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::hub_routes};
  const auto [list, path] = hub_list(content);
  if (list == nullptr)
    return tl::unexpected(base::Error{content.file, 0, "there is no array of a hub's routes", "$"});
  HubReader reader{routes};
  if (const auto read = reader.list(*list, path); !read)
    return tl::unexpected(read.error());
  reader.finish();
  return std::move(routes.result);
}

bool holds_routing_rules(const Content& content) {
  return content.list != nullptr && std::ranges::any_of(*content.list, is_routing_rule);
}

auto read_routing_rules(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::routing_rules};
  if (content.list == nullptr)
    return tl::unexpected(base::Error{content.file, 0, "is an object where an array is expected", "$"});
  const auto table = routes.add_table({}, content.list_path);
  if (!table)
    return tl::unexpected(table.error());
  const auto opened = routes.open(*table);
  RuleReader reader{routes, *table};
  for (std::size_t i = 0; i < content.list->size(); ++i)
    if (const auto read = reader.rule((*content.list)[i], element_path(content.list_path, i)); !read)
      return tl::unexpected(read.error());
  return std::move(routes.result);
}

}  // namespace sekisho::formats
