// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/formats/azure_parts.hpp"

namespace sekisho::formats {
namespace {

using route::NextHopType;
using route::Origin;

constexpr std::array<std::string_view, 11> known{"additionalproperties",
                                                 "addressprefix",
                                                 "destinationservicetags",
                                                 "disablebgproutepropagation",
                                                 "hasbgpoverride",
                                                 "name",
                                                 "nexthopipaddress",
                                                 "nexthoptype",
                                                 "source",
                                                 "state",
                                                 "tagmap"};

// Where a learned route stands among those that are collected. Azure tells each of its next hops in a row of its own, and
// routes by all of them: the type as it is written tells two routes of a prefix apart.
using Learned = std::map<std::pair<base::Prefix, NextHopType>, std::size_t>;

// Seen from Azure: a VirtualApplianceEcmp of a route table is a VirtualAppliance with several addresses here.
void set_type(NextHop& next_hop) {
  if (next_hop.type == NextHopType::virtual_appliance && next_hop.addresses.size() > 1)
    next_hop.type = NextHopType::virtual_appliance_ecmp;
}

auto merged(NextHop next_hop, const NextHop& other) -> NextHop {
  for (const auto address : other.addresses)
    if (std::ranges::find(next_hop.addresses, address) == next_hop.addresses.end())
      next_hop.addresses.push_back(address);
  set_type(next_hop);
  return next_hop;
}

class EffectiveRoute {
 public:
  EffectiveRoute(const Members& members, RouteCollector& routes, Learned& learned)
      : members_(members), routes_(routes), learned_(learned) {}

  auto read() -> tl::expected<void, base::Error> {
    const auto in_force = is_in_force();
    if (!in_force)
      return tl::unexpected(in_force.error());
    for (const auto& member : members_)
      if (std::ranges::find(known, member.key) == known.end() && !is_harmless_property(member.key))
        routes_.find_unknown_property("an effective route", member.key, member.where);
    const auto name = members_.string("name");
    if (!name)
      return tl::unexpected(name.error());
    auto label = *name == nullptr ? std::string{} : **name;
    const auto tag = service_tag();
    if (!tag)
      return tl::unexpected(tag.error());
    if (label.empty())
      label = *tag;
    const auto type = next_hop_type();
    if (!type)
      return tl::unexpected(type.error());
    const auto where_from = origin(*type, *tag);
    if (!where_from)
      return tl::unexpected(where_from.error());
    return add(*type, *where_from, label, *in_force);
  }

 private:
  // "Invalid" is one that is overridden: by another source for the same prefix, which the rows show; or the /32 of a private
  // endpoint by a shorter route of a user's, which they do not. Who followed that one would pass by the firewall.
  auto is_in_force() const -> tl::expected<bool, base::Error> {
    const auto state = members_.string("state");
    if (!state)
      return tl::unexpected(state.error());
    const bool is_active = *state != nullptr && base::equal_without_case(**state, "Active");
    if (!is_active && (*state == nullptr || !base::equal_without_case(**state, "Invalid")))
      return members_.refuse("state", "the state of an effective route is Active or Invalid");
    return is_active;
  }

  // "": the route was not made of one, or of several.
  auto service_tag() const -> tl::expected<std::string, base::Error> {
    const auto* list = members_.find("destinationservicetags");
    if (list == nullptr)
      return std::string{};
    if (!list->is_array() || !std::ranges::all_of(*list, &Json::is_string))
      return members_.refuse("destinationservicetags", "is not an array of service tag names");
    return list->size() == 1 ? list->front().get<std::string>() : std::string{};
  }

  // Azure invents types; one that is not known leads nowhere, and the rest of the table stays.
  auto next_hop_type() -> tl::expected<NextHopType, base::Error> {
    const auto word = members_.string("nexthoptype");
    if (!word)
      return tl::unexpected(word.error());
    if (*word == nullptr)
      return members_.refuse("nexthoptype", "nextHopType is missing");
    const auto type = route::parse_next_hop_type(**word);
    if (!type)
      routes_.find(base::Severity::warning, members_.where("nexthoptype"),
                   fmt::format("{} is not a next-hop type known here: what "
                               "goes there is dropped",
                               base::in_quotes(**word)));
    return type.value_or(NextHopType::none);
  }

  auto origin(NextHopType type, const std::string& tag) -> tl::expected<Origin, base::Error> {
    const auto word = members_.string("source");
    if (!word)
      return tl::unexpected(word.error());
    const auto source = *word == nullptr ? std::string{} : lower_case(**word);
    const bool is_vnet = type == NextHopType::vnet_local || type == NextHopType::vnet_peering ||
                         type == NextHopType::vnet_global_peering ||
                         type == NextHopType::virtual_network_service_endpoint;
    if (source == "user")
      return tag.empty()
                 ? Origin::user
                 : origin_of({.name = tag, .region = tag.substr(std::min(tag.find('.'), tag.size()))});
    if (source == "virtualnetworkgateway")
      return Origin::bgp;
    if (source == "unknown")
      routes_.find(base::Severity::warning, members_.where("source"),
                   "Azure does not say where this route comes from; taken as "
                   "one of its own");
    else if (source != "default")
      return members_.refuse("source",
                             "the source of an effective route is Default, User, "
                             "VirtualNetworkGateway or Unknown");
    return is_vnet ? Origin::vnet : Origin::system;
  }

  // What `az --query` and PowerShell flatten: a text in the place of a list of one.
  static const Json* as_list(const Json* value, Json& one) {
    if (value == nullptr || !value->is_string())
      return value;
    one = Json::array();
    if (!value->get_ref<const std::string&>().empty())
      one.push_back(*value);
    return &one;
  }

  auto next_hop(NextHopType type) -> tl::expected<NextHop, base::Error> {
    NextHop result{.type = type, .name = {}, .addresses = {}};
    Json one;
    if (const auto* list = as_list(members_.find("nexthopipaddress"), one)) {
      if (!list->is_array())
        return members_.refuse("nexthopipaddress",
                               fmt::format("is {} where an array is expected", type_name(*list)));
      auto addresses =
          parse_next_hop_addresses(*list, members_.where("nexthopipaddress"), routes_.result.file);
      if (!addresses)
        return tl::unexpected(std::move(addresses.error()));
      result.addresses = std::move(*addresses);
    }
    set_type(result);
    const std::size_t least = type == NextHopType::virtual_appliance        ? 1
                              : type == NextHopType::virtual_appliance_ecmp ? least_ecmp
                                                                            : 0;
    if (result.addresses.size() < least) {
      routes_.find(base::Severity::warning, members_.where("nexthopipaddress"),
                   fmt::format("a {} with {}: the appliance is not running, and what "
                               "goes there is dropped",
                               to_string(type), least == 1 ? "no address" : "less than two addresses"));
      return NextHop{.type = NextHopType::none, .name = {}, .addresses = {}};
    }
    return result;
  }

  auto add(NextHopType type, Origin origin, const std::string& label, bool in_force)
      -> tl::expected<void, base::Error> {
    Json one;
    const auto* list = as_list(members_.find("addressprefix"), one);
    if (list == nullptr || !list->is_array() || list->empty())
      return members_.refuse("addressprefix", "addressPrefix is not an array of at least one prefix");
    std::vector<base::Prefix> prefixes;
    std::vector<std::pair<std::string, std::string>> tags;  // name, path
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto path = element_path(members_.where("addressprefix"), i);
      const auto refuse = [&](std::string reason) {
        return tl::unexpected(base::Error{routes_.result.file, 0, std::move(reason), path});
      };
      const auto& element = (*list)[i];
      if (!element.is_string())
        return refuse(fmt::format("is {} where a prefix is expected", type_name(element)));
      const auto& text = element.get_ref<const std::string&>();
      const auto destination = parse_destination(text);
      if (!destination)
        return refuse(destination.error());
      if (destination->kind == DestinationKind::tag && !route::is_user(origin))
        return refuse(fmt::format("{} is not a prefix, and only a User route has a service tag",
                                  base::in_quotes(text)));
      if (destination->kind == DestinationKind::ipv6)
        ++routes_.result.ipv6;
      else if (destination->kind == DestinationKind::tag)
        tags.emplace_back(text, path);
      else
        prefixes.push_back(destination->prefix);
    }
    if (prefixes.empty() && tags.empty())  // IPv6, and so are its next hops
      return {};
    auto hop = next_hop(type);
    if (!hop)
      return tl::unexpected(std::move(hop.error()));
    const auto hop_id = routes_.next_hop(*hop);
    const auto label_id = routes_.label(label);
    if (!in_force) {
      for (const auto prefix : prefixes)
        routes_.result.invalid.push_back(
            {.prefix = prefix, .origin = origin, .next_hop = hop_id, .label = label_id});
      return {};
    }
    for (const auto prefix : prefixes) {
      if (origin == Origin::bgp) {
        const auto [known, added] = learned_.try_emplace({prefix, type}, routes_.result.routes.size());
        if (!added) {
          if (const auto joined = join(routes_.result.routes[known->second], *hop); !joined)
            return joined;
          continue;
        }
      }
      routes_.result.routes.push_back(
          {.prefix = prefix, .origin = origin, .next_hop = hop_id, .label = label_id});
    }
    for (auto& [name, path] : tags)
      routes_.result.tag_routes.push_back(
          {.tag = std::move(name), .next_hop = hop_id, .label = label_id, .path = std::move(path)});
    return {};
  }

  auto join(FileRoute& route, const NextHop& another) -> tl::expected<void, base::Error> {
    auto all = merged(routes_.result.next_hops[route.next_hop], another);
    if (all.addresses.size() > most_ecmp)
      return members_.refuse("nexthopipaddress", fmt::format("{} has more than {} next hops",
                                                             to_string(route.prefix), most_ecmp));
    route.next_hop = routes_.next_hop(std::move(all));
    return {};
  }

  const Members& members_;
  RouteCollector& routes_;
  Learned& learned_;
};

}  // namespace

auto read_effective_routes(const Json& rows, const std::string& path, RouteCollector& routes)
    -> tl::expected<void, base::Error> {
  Learned learned;
  const bool is_one = rows.is_object();
  for (std::size_t i = 0; i < (is_one ? 1 : rows.size()); ++i) {
    const auto members =
        Members::of(is_one ? rows : rows[i], is_one ? path : element_path(path, i), routes.result.file);
    if (!members)
      return tl::unexpected(members.error());
    if (const auto result = EffectiveRoute{*members, routes, learned}.read(); !result)
      return result;
  }
  return {};
}

}  // namespace sekisho::formats
