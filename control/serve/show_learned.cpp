// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/show_learned.hpp"

#include <algorithm>
#include <set>

#include "control/config/config.hpp"
#include "control/policy/learned.hpp"

namespace sekisho::serve {
namespace {

// A piece of a prefix that is around a port's subnet counts as the prefix.
bool has_source(const std::vector<base::Prefix>& sources, base::Prefix prefix) {
  const auto found = std::ranges::lower_bound(sources, prefix);
  return found != sources.end() && prefix.covers(*found);
}

// Whether the route is the one that the zone's table has for its prefix.
bool wins(const policy::Policy& policy, const policy::ZonePolicy& zone, base::Prefix prefix,
          const std::string& next_hop) {
  const auto same = std::ranges::equal_range(zone.table.candidates(), prefix, {}, &route::Route::prefix);
  return !same.empty() && same.front().origin == route::Origin::bgp && zone.table.wins(same.front()) &&
         policy.names[same.front().next_hop] == next_hop;
}

}  // namespace

Json show_learned(const policy::Policy& policy) {
  if (!policy.config.learns()) {
    return {{"learns", false}};
  }
  const auto& learning = policy.config.bgp->learning;
  auto protocols = Json::array();
  for (const auto protocol : learning.protocols) {
    protocols.push_back(config::route_protocol_name(protocol));
  }
  Json result{{"learns", true},
              {"table", learning.table},
              {"protocols", std::move(protocols)},
              {"max_prefixes", learning.max_prefixes},
              {"learned_hold_ms", learning.hold.count()},
              {"learned", 0},
              {"refused", 0},
              {"in_excess", 0},
              {"held", 0},
              {"sources", 0},
              {"follows", Json::array()},
              {"notes", Json::array()},
              {"problems", Json::array()}};
  if (const auto& taken = policy.taken) {
    const auto& learned = *taken->learned;
    result["learned"] = learned.routes.size();
    result["refused"] = taken->refused;
    result["in_excess"] = learned.in_excess;
    result["held"] = learned.held;
    result["sources"] = taken->sources;
    result["follows"] = taken->follows;
    result["notes"] = taken->notes;
    result["problems"] = learned.problems;
  }
  return result;
}

LearnedPages::LearnedPages(std::shared_ptr<const policy::Policy> policy) : policy_(std::move(policy)) {
  for (std::size_t zone = 0; policy_->taken && zone < policy_->zones.size(); ++zone) {
    if (policy_->config.zones[zone].learned_sources) {
      auto& sources = sources_[policy_->zones[zone].name] = policy_->zones[zone].sources;
      std::ranges::sort(sources);
    }
  }
}

bool LearnedPages::more() const {
  return policy_->taken && next_ < policy_->taken->learned->routes.size();
}

Json LearnedPages::next() {
  auto result = Json::array();
  while (more() && result.size() < page_size) {
    result.push_back(to_json(policy_->taken->learned->routes[next_++]));
  }
  return result;
}

Json LearnedPages::to_json(const route::LearnedRoute& route) const {
  const auto& taken = *policy_->taken;
  const auto& way = taken.ways[route.way];
  std::set<std::uint32_t> addresses;
  for (const auto& hop : taken.learned->ways[route.way].hops) {
    addresses.insert(hop.gateway);
  }
  auto gateways = Json::array();
  for (const auto address : addresses) {
    if (address != 0) {
      gateways.push_back(base::address_to_string(address));
    }
  }
  const auto why = taken.why_not(route);
  const bool may_be_source = why.empty() && route.prefix.length != 0;
  auto zones = Json::array();
  auto sources = Json::array();
  for (const auto& zone : policy_->zones) {
    if (wins(*policy_, zone, route.prefix, way.next_hop)) {
      zones.push_back(zone.name);
    }
    if (const auto own = sources_.find(zone.name);
        may_be_source && own != sources_.end() && has_source(own->second, route.prefix)) {
      sources.push_back(zone.name);
    }
  }
  return {{"prefix", base::to_string(route.prefix)},
          {"next_hop", way.next_hop.empty() ? Json(nullptr) : Json(way.next_hop)},
          {"gateways", std::move(gateways)},
          {"ports", way.ports},
          {"protocol", config::route_protocol_name(route.protocol)},
          {"since_unix_ms", route.since_unix_ms},
          {"held", route.held},
          {"in_force", !zones.empty()},
          {"zones", std::move(zones)},
          {"source_of", std::move(sources)},
          {"refused", why.empty() ? Json(nullptr) : Json(why)}};
}

}  // namespace sekisho::serve
