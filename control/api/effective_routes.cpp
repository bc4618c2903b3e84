#include "control/api/effective_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dataplane/fib/prefix.hpp"

namespace sekisho::api {
namespace {

using route::NextHopType;

const char* azure_source(route::Origin origin) {
  if (route::is_user(origin)) {
    return "User";
  }
  return origin == route::Origin::bgp ? "VirtualNetworkGateway" : "Default";
}

Json texts(std::span<const std::uint32_t> addresses) {
  auto result = Json::array();
  for (const auto address : addresses) {
    result.push_back(fib::address_to_string(address));
  }
  return result;
}

Json winner_json(const route::Route& winner, const AzureWords& words) {
  return {{"addressPrefix", Json::array({fib::to_string(winner.prefix)})},
          {"nextHopIpAddress", texts(words.addresses)},
          {"nextHopType", route::to_string(words.type)},
          {"source", azure_source(winner.origin)}};
}

// The members of each name that is a next hop's; none of the rest.
std::vector<std::span<const std::uint32_t>> members_by_name(const policy::Policy& policy) {
  std::vector<std::span<const std::uint32_t>> result(policy.names.size());
  for (route::NameId id = 0; id < policy.names.size(); ++id) {
    const auto found =
        std::ranges::lower_bound(policy.config.next_hops, policy.names[id], {}, &config::NextHop::name);
    if (found != policy.config.next_hops.end() && found->name == policy.names[id]) {
      result[id] = found->members;
    }
  }
  return result;
}

// What a next hop's name is to Azure, where the route was not written in its words.
NextHopType type_of(std::string_view name, std::size_t members) {
  if (name == policy::none) {
    return NextHopType::none;
  }
  if (name == policy::leave) {
    return NextHopType::internet;
  }
  return members > 1 ? NextHopType::virtual_appliance_ecmp : NextHopType::virtual_appliance;
}

}  // namespace

EffectivePages::EffectivePages(std::shared_ptr<const route::RouteTable> table, InAzureWords words,
                               EffectiveOptions options)
    : table_(std::move(table)), words_(std::move(words)), options_(options), routes_(*table_) {}

auto EffectivePages::open(const std::shared_ptr<const policy::Policy>& policy, const std::string& zone,
                          EffectiveOptions options) -> tl::expected<EffectivePages, std::string> {
  const auto* found = policy->zone(zone);
  if (found == nullptr) {
    return tl::unexpected{fmt::format("there is no zone \"{}\"", zone)};
  }
  auto words = [policy, members = members_by_name(*policy)](const route::Route& route) -> AzureWords {
    const auto addresses = members[route.next_hop];
    switch (route.type) {
      case NextHopType::named:
      case NextHopType::virtual_appliance:
      case NextHopType::virtual_appliance_ecmp:
        return {.type = type_of(policy->names[route.next_hop], addresses.size()), .addresses = addresses};
      default:
        // Of the other types Azure names an address only where BGP told one.
        return {.type = route.type,
                .addresses = route.origin == route::Origin::bgp ? addresses : decltype(addresses){}};
    }
  };
  return EffectivePages{{policy, &found->table}, std::move(words), options};
}

void EffectivePages::add(Json& page, const route::EffectiveRoute& effective) const {
  const auto& route = effective.route;
  const auto words = words_(route);
  Json element{{"addressPrefix", Json::array({fib::to_string(route.prefix)})},
               {"destinationServiceTags", Json::array()},
               {"disableBgpRoutePropagation", !options_.takes_bgp},
               {"hasBgpOverride", false},
               {"name", words.name.empty() ? Json(nullptr) : Json(words.name)},
               {"nextHopIpAddress", texts(words.addresses)},
               {"nextHopType", route::to_string(words.type)},
               {"source", azure_source(route.origin)},
               {"state", effective.state == route::State::active ? "Active" : "Invalid"},
               {"tagMap", Json::object()}};
  if (options_.winners) {
    element["overriddenBy"] = effective.winner == nullptr
                                  ? Json(nullptr)
                                  : winner_json(*effective.winner, words_(*effective.winner));
  }
  if (route.origin != route::Origin::bgp || element["nextHopIpAddress"].size() < 2) {
    page.push_back(std::move(element));
    return;
  }
  for (const auto& address : Json(element["nextHopIpAddress"])) {
    element["nextHopIpAddress"] = Json::array({address});
    page.push_back(element);
  }
}

Json EffectivePages::next() {
  auto page = Json::array();
  while (page.size() < page_size && more()) {
    add(page, routes_.next());
  }
  return page;
}

}  // namespace sekisho::api
