#include "control/api/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/api/route_json.hpp"

namespace sekisho::api {

RoutePages::RoutePages(std::shared_ptr<const policy::Policy> policy, RouteQuery query)
    : policy_(std::move(policy)), query_(std::move(query)) {
  enter_zone();
}

auto RoutePages::open(std::shared_ptr<const policy::Policy> policy, RouteQuery query)
    -> tl::expected<RoutePages, std::string> {
  if (query.zone && policy->zone(*query.zone) == nullptr) {
    return tl::unexpected{fmt::format("there is no zone \"{}\"", *query.zone)};
  }
  const auto prefix = query.prefix;
  RoutePages pages{std::move(policy), std::move(query)};
  if (prefix && !pages.more()) {
    return tl::unexpected{fmt::format("no route to {}", fib::to_string(*prefix))};
  }
  return pages;
}

bool RoutePages::wanted(const policy::ZonePolicy& zone) const {
  return !query_.zone || *query_.zone == zone.name;
}

void RoutePages::enter_zone() {
  route_ = 0;
  if (query_.prefix && zone_ < policy_->zones.size()) {
    const auto& routes = policy_->zones[zone_].table.candidates();
    const auto first =
        std::lower_bound(routes.begin(), routes.end(), *query_.prefix,
                         [](const route::Route& route, fib::Prefix prefix) { return route.prefix < prefix; });
    route_ = static_cast<std::size_t>(first - routes.begin());
  }
}

bool RoutePages::seek() {
  while (zone_ < policy_->zones.size()) {
    const auto& zone = policy_->zones[zone_];
    const auto& routes = zone.table.candidates();
    while (route_ < routes.size() && !zone.table.wins(routes[route_])) {
      ++route_;
    }
    if (wanted(zone) && route_ < routes.size()) {
      const auto prefix = routes[route_].prefix;
      if (!query_.prefix || prefix == *query_.prefix || (query_.longer && query_.prefix->covers(prefix))) {
        return true;
      }
    }
    ++zone_;  // what a prefix covers stands together, too: behind it comes nothing more
    enter_zone();
  }
  return false;
}

bool RoutePages::more() {
  return seek();
}

Json RoutePages::next() {
  auto page = Json::array();
  while (page.size() < page_size && seek()) {
    const auto& zone = policy_->zones[zone_];
    const auto& route = zone.table.candidates()[route_++];
    Json entry{{"zone", zone.name}};
    entry.update(route_json(*policy_, route));
    page.push_back(std::move(entry));
  }
  return page;
}

}  // namespace sekisho::api
