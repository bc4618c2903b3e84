// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/serve/route_json.hpp"

namespace sekisho::serve {

RoutePages::RoutePages(std::shared_ptr<const policy::Policy> policy, const sync::View& view, RouteQuery query)
    : policy_(std::move(policy)), view_(std::make_shared<const sync::View>(view)), query_(std::move(query)) {
  enter_zone();
}

auto RoutePages::open(std::shared_ptr<const policy::Policy> policy, const sync::View& view, RouteQuery query)
    -> tl::expected<RoutePages, std::string> {
  if (query.zone && policy->zone(*query.zone) == nullptr) {
    return tl::unexpected{fmt::format("there is no zone \"{}\"", *query.zone)};
  }
  const auto prefix = query.prefix;
  RoutePages pages{std::move(policy), view, std::move(query)};
  if (prefix && !pages.more()) {
    return tl::unexpected{fmt::format("no route to {}", base::to_string(*prefix))};
  }
  return pages;
}

bool RoutePages::wanted(const policy::ZonePolicy& zone) const {
  return !query_.zone || *query_.zone == zone.name;
}

void RoutePages::enter_zone() {
  route_ = 0;
  kernel_.clear();
  if (zone_ == policy_->zones.size()) {
    return;
  }
  const auto& zone = policy_->zones[zone_];
  kernel_ = sync::kernel_routes(zone, *view_);
  std::erase_if(kernel_, [this](const sync::KernelRoute& route) {
    return route.kind == sync::KernelRoute::Kind::own || (query_.prefix && route.prefix < *query_.prefix);
  });
  std::ranges::reverse(kernel_);
  if (query_.prefix) {
    const auto& routes = zone.table.candidates();
    const auto first = std::ranges::lower_bound(routes, *query_.prefix, {}, &route::Route::prefix);
    route_ = static_cast<std::size_t>(first - routes.begin());
  }
  skip_losers();
}

void RoutePages::skip_losers() {
  const auto& table = policy_->zones[zone_].table;
  const auto& routes = table.candidates();
  while (route_ < routes.size() && !table.wins(routes[route_])) {
    ++route_;
  }
}

bool RoutePages::is_kernel() const {
  const auto& routes = policy_->zones[zone_].table.candidates();
  return !kernel_.empty() && (route_ == routes.size() || kernel_.back().prefix <= routes[route_].prefix);
}

std::optional<base::Prefix> RoutePages::front() const {
  const auto& routes = policy_->zones[zone_].table.candidates();
  if (is_kernel()) {
    return kernel_.back().prefix;
  }
  return route_ < routes.size() ? std::optional{routes[route_].prefix} : std::nullopt;
}

bool RoutePages::seek() {
  while (zone_ < policy_->zones.size()) {
    const auto prefix = front();
    if (wanted(policy_->zones[zone_]) && prefix &&
        (!query_.prefix || *prefix == *query_.prefix || (query_.longer && query_.prefix->covers(*prefix)))) {
      return true;
    }
    ++zone_;  // what a prefix covers stands together, too: behind it comes nothing more
    enter_zone();
  }
  return false;
}

bool RoutePages::more() {
  return seek();
}

// What stands in front, and the policy's route whose place one of the kernel's has.
Json RoutePages::take() {
  const auto& routes = policy_->zones[zone_].table.candidates();
  const bool kernel = is_kernel();
  const auto prefix = *front();
  auto result = kernel ? route_json(kernel_.back()) : route_json(*policy_, routes[route_]);
  if (kernel) {
    kernel_.pop_back();
  }
  if (route_ < routes.size() && routes[route_].prefix == prefix) {
    ++route_;
    skip_losers();
  }
  return result;
}

Json RoutePages::next() {
  auto page = Json::array();
  while (page.size() < page_size && seek()) {
    const auto& zone = policy_->zones[zone_];
    Json entry{{"zone", zone.name}};
    entry.update(take());
    page.push_back(std::move(entry));
  }
  return page;
}

}  // namespace sekisho::serve
