// SPDX-License-Identifier: BSD-3-Clause
// A policy with other overrides. What both have costs a comparison; tables of 900,000 routes get what a few hundred changes need.
#include "control/policy/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/policy/exceptions.hpp"
#include "control/policy/next_hops.hpp"
#include "control/route/martians.hpp"

namespace sekisho::policy {
namespace {

using route::Route;

using Changes = std::map<base::Prefix, const Override*>;  // of one zone; null: it is overridden no more

auto place(const Override& override) {
  return std::tie(override.zone, override.prefix);
}

// Sorted, and of two of a zone's prefix the last: as every policy has them.
void put_in_order(std::vector<Override>& overrides) {
  std::ranges::stable_sort(overrides, {}, place);
  const auto same = [](const Override& a, const Override& b) { return place(a) == place(b); };
  const auto kept = std::unique(overrides.rbegin(), overrides.rend(), same).base();
  overrides.erase(overrides.begin(), kept);
}

// By zone.
auto difference(const std::vector<Override>& before, const std::vector<Override>& after)
    -> std::map<std::string_view, Changes> {
  std::map<std::string_view, Changes> result;
  auto old = before.begin();
  for (const auto& now : after) {
    for (; old != before.end() && place(*old) < place(now); ++old)
      result[old->zone][old->prefix] = nullptr;
    const bool is_known = old != before.end() && place(*old) == place(now);
    if (!is_known || *old != now)
      result[now.zone][now.prefix] = &now;
    if (is_known)
      ++old;
  }
  for (; old != before.end(); ++old)
    result[old->zone][old->prefix] = nullptr;
  return result;
}

auto candidates_of(const ZonePolicy& zone, base::Prefix prefix) {
  return std::ranges::equal_range(zone.table.candidates(), prefix, {}, &Route::prefix);
}

// The candidates of a prefix that are no overrides, those that one took out among them, in the order in which they were added:
// the preferred one last.
auto base_routes(const ZonePolicy& zone, base::Prefix prefix, route::NameId override_id)
    -> std::vector<Route> {
  std::vector<Route> result;
  std::ranges::copy_if(candidates_of(zone, prefix) | std::views::reverse, std::back_inserter(result),
                       [&](const Route& route) { return route.source != override_id; });
  std::ranges::copy(std::ranges::equal_range(zone.withdrawn, prefix, {}, &Route::prefix),
                    std::back_inserter(result));
  return result;
}

class Applying {
 public:
  explicit Applying(Policy& policy)
      : policy_(policy),
        rules_(policy),
        override_id_(policy.names.intern(override_source)),
        next_hops_(policy.config, policy.names, unknown_) {}

  auto apply(ZonePolicy& zone, const Changes& changes) -> tl::expected<void, std::string> {
    std::map<base::Prefix, std::vector<Route>> others;
    std::vector<Route> withdrawn;
    for (const auto& [prefix, change] : changes) {
      auto& routes = others[prefix] = base_routes(zone, prefix, override_id_);
      touches_exceptions_ |= leads_out(routes) || leads_out(candidates_of(zone, prefix));
      if (change == nullptr)
        continue;
      const auto name = rules_.check(*change);
      if (!name)
        return tl::unexpected(name.error());
      if (*name) {
        const auto next_hop = next_hops_.named(**name);
        routes.push_back({prefix, route::Origin::user, next_hop.type, next_hop.name, override_id_, 0});
        touches_exceptions_ |= leads_out(routes);
        continue;
      }
      const auto taken = std::ranges::stable_partition(
          routes, [](const Route& route) { return !route::is_user(route.origin); });
      if (taken.empty())
        return tl::unexpected(
            fmt::format("there is no User route to {} in zone {}", base::to_string(prefix), zone.name));
      withdrawn.insert(withdrawn.end(), taken.begin(), taken.end());
      routes.erase(taken.begin(), taken.end());
    }
    zone.table = zone.table.with(others);
    std::erase_if(zone.withdrawn, [&](const Route& route) { return changes.contains(route.prefix); });
    zone.withdrawn.insert(zone.withdrawn.end(), withdrawn.begin(), withdrawn.end());
    std::ranges::stable_sort(zone.withdrawn, {}, &Route::prefix);
    return {};
  }
  [[nodiscard]] bool touches_exceptions() const { return touches_exceptions_; }

 private:
  // Past the firewall.
  [[nodiscard]] bool leads_out(const auto& routes) const {
    return std::ranges::any_of(routes,
                               [&](const Route& route) { return policy_.names[route.next_hop] == leave; });
  }

  Policy& policy_;
  OverrideRules rules_;
  route::NameId override_id_;
  const InterfaceAddresses unknown_;
  NextHops next_hops_;
  bool touches_exceptions_ = false;
};

}  // namespace

auto OverrideRules::find_next_hop(const std::string& name) -> tl::expected<std::string, std::string> {
  if (const auto known = next_hops_.find(name); known != next_hops_.end())
    return known->second;
  const auto& config = policy_.config;
  std::string_view meant = name;
  if (base::equal_without_case(name, none)) {
    meant = none;
  } else if (base::equal_without_case(name, leave)) {
    if (!config.internet || !config.internet->exit)
      return tl::unexpected(std::string{config::no_exit});
    meant = leave;
  } else if (std::ranges::find(config.next_hops, name, &config::NextHop::name) == config.next_hops.end()) {
    std::vector<std::string_view> known{none, leave};
    std::ranges::transform(config.next_hops, std::back_inserter(known), &config::NextHop::name);
    return tl::unexpected(
        fmt::format("there is no next hop {}{}", base::in_quotes(name), base::suggestion(name, known)));
  }
  return next_hops_.emplace(name, meant).first->second;
}

auto OverrideRules::check(const Override& wanted) -> tl::expected<std::optional<std::string>, std::string> {
  if (policy_.zone(wanted.zone) == nullptr)
    return tl::unexpected(fmt::format("there is no zone {}", base::in_quotes(wanted.zone)));
  if (!wanted.next_hop)
    return std::nullopt;
  auto name = find_next_hop(*wanted.next_hop);
  if (!name)
    return tl::unexpected(std::move(name.error()));
  if (auto reason = refuse_exception(wanted.prefix, *name))
    return tl::unexpected(std::move(*reason));
  if (const auto block = route::martian_block(wanted.prefix); block && *name != none)
    return tl::unexpected(fmt::format("{} can never match: what is for {} is dropped",
                                      base::to_string(wanted.prefix), base::to_string(*block)));
  return std::move(*name);
}

bool has_written_route(const Policy& policy, const ZonePolicy& zone, base::Prefix prefix) {
  const auto same = std::ranges::equal_range(zone.table.candidates(), prefix, {}, &route::Route::prefix);
  return std::ranges::binary_search(zone.withdrawn, prefix, {}, &route::Route::prefix) ||
         std::ranges::any_of(same, [&](const route::Route& route) {
           return route::is_user(route.origin) && policy.names[route.source] != override_source;
         });
}

auto with_overrides(const Policy& policy, std::vector<Override> overrides)
    -> tl::expected<std::shared_ptr<const Policy>, std::string> {
  auto result = std::make_shared<Policy>(policy);
  result->overrides = std::move(overrides);
  put_in_order(result->overrides);
  Applying applying{*result};
  for (const auto& [name, changes] : difference(policy.overrides, result->overrides)) {
    const auto zone = std::ranges::find(result->zones, name, &ZonePolicy::name);
    if (zone == result->zones.end())
      return tl::unexpected(fmt::format("there is no zone {}", base::in_quotes(name)));
    if (auto applied = applying.apply(*zone, changes); !applied)
      return tl::unexpected(std::move(applied.error()));
  }
  // Only User routes lead past the firewall: what is shadowed by others than before is none of them.
  if (applying.touches_exceptions())
    result->exceptions = collect_exceptions(*result);
  return result;
}

}  // namespace sekisho::policy
