// SPDX-License-Identifier: BSD-3-Clause
// EC2 API, RouteTable and Route.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"
#include "control/formats/clouds.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;
using Read = tl::expected<void, base::Error>;

// A route has one of them, each one of several of its kind: its identifier tells it from the others.
constexpr std::array<std::string_view, 10> targets{
    "natgatewayid",       "transitgatewayid", "vpcpeeringconnectionid", "egressonlyinternetgatewayid",
    "localgatewayid",     "carriergatewayid", "corenetworkarn",         "odbnetworkarn",
    "networkinterfaceid",  // an instance's interface: with InstanceId beside it
    "instanceid"};

// "local", "igw-0a1b", "vgw-0a1b", "vpce-0a1b". A VPC has one local target and one way to the Internet.
auto gateway(const std::string& id) -> NextHop {
  if (id == "local")
    return {.type = NextHopType::vnet_local, .name = {}, .addresses = {}};
  if (id.starts_with("igw-"))
    return {.type = NextHopType::internet, .name = {}, .addresses = {}};
  return {.type = NextHopType::named, .name = id, .addresses = {}};
}

class AwsReader {
 public:
  explicit AwsReader(RouteCollector& routes) : routes_(routes) {}

  auto table(const Json& table, const std::string& path) -> Read {
    const auto members = Members::of(table, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    const auto id = members->string("routetableid");
    if (!id)
      return tl::unexpected(id.error());
    if (*id == nullptr)
      return members->refuse("routetableid", "is a route table without its RouteTableId");
    auto name = name_tag(members->find("tags"));
    const auto index =
        routes_.add_table({.name = name.empty() ? **id : std::move(name), .place = **id}, path);
    if (!index)
      return tl::unexpected(index.error());
    const auto opened = routes_.open(*index);
    const auto* list = members->find("routes");
    if (list == nullptr || !list->is_array())
      return members->refuse("routes", "is a route table without an array of Routes");
    for (std::size_t i = 0; i < list->size(); ++i)
      if (const auto done = route((*list)[i], element_path(members->where("routes"), i)); !done)
        return done;
    return {};
  }

 private:
  static auto name_tag(const Json* tags) -> std::string {
    if (tags == nullptr || !tags->is_array())
      return {};
    for (const auto& tag : *tags) {
      const auto* key = find_member(tag, "key");
      const auto* value = find_member(tag, "value");
      if (key != nullptr && *key == "Name" && value != nullptr && value->is_string())
        return value->get<std::string>();
    }
    return {};
  }

  auto route(const Json& route, const std::string& path) -> Read {
    const auto members = Members::of(route, path, routes_.result.file);
    if (!members)
      return tl::unexpected(members.error());
    for (const auto* key :
         {"destinationcidrblock", "destinationipv6cidrblock", "destinationprefixlistid", "state", "origin"})
      if (const auto text = members->string(key); !text)
        return tl::unexpected(text.error());
    if (members->find("destinationipv6cidrblock") != nullptr) {
      routes_.leave_out_ipv6();
      return {};
    }
    if (const auto* list = members->find("destinationprefixlistid")) {
      routes_.find(base::Severity::error, path,
                   fmt::format("a route is left out: which prefixes {} has, this file "
                               "does not tell",
                               base::in_quotes(list->get_ref<const std::string&>())));
      return {};
    }
    const auto* destination = members->find("destinationcidrblock");
    if (destination == nullptr)
      return members->refuse("destinationcidrblock", "is a route without a destination");
    const auto prefix = base::parse_prefix(destination->get_ref<const std::string&>());
    if (!prefix)
      return members->refuse("destinationcidrblock", prefix.error());
    auto hop = target(*members);
    if (!hop)
      return tl::unexpected(std::move(hop.error()));
    // "blackhole": the target is gone, and what matches the route is dropped.
    if (const auto* state = members->find("state"); state != nullptr && *state != "active") {
      if (*state != "blackhole")
        return members->refuse("state", "the state of a route is active or blackhole");
      routes_.find(
          base::Severity::warning, members->where("state"),
          fmt::format("the target of {} is gone: what goes there is dropped", base::to_string(*prefix)));
      hop = NextHop{.type = NextHopType::none, .name = {}, .addresses = {}};
    }
    const auto* origin = members->find("origin");
    const auto is_of = [origin](std::string_view word) { return origin != nullptr && *origin == word; };
    routes_.add({.prefix = *prefix,
                 .origin = is_of("CreateRouteTable")                                      ? Origin::vnet
                           : is_of("EnableVgwRoutePropagation") || is_of("Advertisement") ? Origin::bgp
                                                                                          : Origin::user,
                 .next_hop = std::move(*hop),
                 .label = {}});
    return {};
  }

  static auto target(const Members& members) -> tl::expected<NextHop, base::Error> {
    const auto address = members.string("ipaddress");
    const auto id = members.string("gatewayid");
    if (!address || !id)
      return tl::unexpected(address ? id.error() : address.error());
    if (*address != nullptr) {
      const auto parsed = parse_next_hop_address(**address);
      if (!parsed)
        return members.refuse("ipaddress", parsed.error());
      return NextHop{.type = NextHopType::virtual_appliance, .name = {}, .addresses = {*parsed}};
    }
    if (*id != nullptr)
      return gateway(**id);
    for (const auto key : targets) {
      const auto text = members.string(key);
      if (!text)
        return tl::unexpected(text.error());
      if (*text != nullptr)
        return NextHop{.type = NextHopType::named, .name = **text, .addresses = {}};
    }
    return members.refuse("", "is a route without a target that is known here");
  }

  RouteCollector& routes_;
};

}  // namespace

bool holds_aws_tables(const Content& content) {
  return content.list == nullptr && find_member(*content.document, "RouteTables") != nullptr;
}

auto read_aws_tables(const Content& content, const Options& /*options*/) -> Reading {
  RouteCollector routes{content.file, Format::aws};
  const auto members = Members::of(*content.document, "$", content.file);
  if (!members)
    return tl::unexpected(members.error());
  if (members->find("nexttoken") != nullptr)
    return members->refuse("nexttoken", "the list goes on behind this token; save all of it");
  const auto* tables = members->find("routetables");
  if (tables == nullptr || !tables->is_array())
    return members->refuse("routetables", "there is no array of RouteTables");
  AwsReader reader{routes};
  for (std::size_t i = 0; i < tables->size(); ++i)
    if (const auto read = reader.table((*tables)[i], element_path(members->where("routetables"), i)); !read)
      return tl::unexpected(read.error());
  return std::move(routes.result);
}

}  // namespace sekisho::formats
