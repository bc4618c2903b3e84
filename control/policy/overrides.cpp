// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <utility>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/policy/exceptions.hpp"
#include "control/policy/next_hops.hpp"
#include "control/policy/policy.hpp"
#include "control/route/martians.hpp"

namespace sekisho::policy {
namespace {

using route::Route;

using Changes = std::map<base::Prefix, std::optional<std::string>>;  // of one zone

// The name as policies have it.
auto find_next_hop(const config::Config& config, const std::string& name)
    -> tl::expected<std::string, std::string> {
  if (base::equal_without_case(name, none))
    return std::string{none};
  if (base::equal_without_case(name, leave)) {
    if (!config.internet || !config.internet->exit)
      return tl::unexpected(std::string{config::no_exit});
    return std::string{leave};
  }
  std::vector<std::string_view> known{none, leave};
  std::ranges::transform(config.next_hops, std::back_inserter(known), &config::NextHop::name);
  if (std::ranges::find(known, name) == known.end())
    return tl::unexpected(
        fmt::format("there is no next hop {}{}", base::in_quotes(name), base::suggestion(name, known)));
  return name;
}

auto by_zone(const Policy& policy) -> tl::expected<std::map<std::string, Changes>, std::string> {
  std::map<std::string, Changes> result;
  for (const auto& change : policy.overrides) {
    if (policy.zone(change.zone) == nullptr)
      return tl::unexpected(fmt::format("there is no zone {}", base::in_quotes(change.zone)));
    auto& next_hop = result[change.zone][change.prefix];
    next_hop = std::nullopt;
    if (!change.next_hop)
      continue;
    const auto name = find_next_hop(policy.config, *change.next_hop);
    if (!name)
      return tl::unexpected(name.error());
    if (auto reason = refuse_exception(change.prefix, *name))
      return tl::unexpected(std::move(*reason));
    if (const auto block = route::martian_block(change.prefix); block && *name != none)
      return tl::unexpected(fmt::format("{} can never match: what is for {} is dropped",
                                        base::to_string(change.prefix), base::to_string(*block)));
    next_hop = *name;
  }
  return result;
}

// The candidates of a prefix that are no overrides, those that one took out among them, in the order in which they were added:
// the preferred one last.
auto base_routes(const ZonePolicy& zone, base::Prefix prefix, route::NameId override_id)
    -> std::vector<Route> {
  std::vector<Route> result;
  const auto same = std::ranges::equal_range(zone.table.candidates(), prefix, {}, &Route::prefix);
  std::ranges::copy_if(same | std::views::reverse, std::back_inserter(result),
                       [&](const Route& route) { return route.source != override_id; });
  std::ranges::copy_if(zone.withdrawn, std::back_inserter(result),
                       [&](const Route& route) { return route.prefix == prefix; });
  return result;
}

// `before`: the prefixes that were overridden until now.
auto apply(const ZonePolicy& zone, const std::set<base::Prefix>& before, const Changes& changes,
           NextHops& next_hops, route::NameId override_id) -> tl::expected<ZonePolicy, std::string> {
  ZonePolicy result{zone};
  result.withdrawn.clear();
  std::map<base::Prefix, std::vector<Route>> others;
  for (const auto prefix : before)
    others[prefix] = base_routes(zone, prefix, override_id);
  for (const auto& [prefix, name] : changes) {
    auto& routes = others[prefix] = base_routes(zone, prefix, override_id);
    if (name) {
      const auto next_hop = next_hops.named(*name);
      routes.push_back({prefix, route::Origin::user, next_hop.type, next_hop.name, override_id, 0});
      continue;
    }
    const auto taken = std::ranges::stable_partition(
        routes, [](const Route& route) { return !route::is_user(route.origin); });
    if (taken.empty())
      return tl::unexpected(
          fmt::format("there is no User route to {} in zone {}", base::to_string(prefix), zone.name));
    result.withdrawn.insert(result.withdrawn.end(), taken.begin(), taken.end());
    routes.erase(taken.begin(), taken.end());
  }
  result.table = zone.table.with(others);
  return result;
}

}  // namespace

auto with_overrides(const Policy& policy, std::vector<Override> overrides)
    -> tl::expected<std::shared_ptr<const Policy>, std::string> {
  auto result = std::make_shared<Policy>(policy);
  result->overrides = std::move(overrides);
  const auto changes = by_zone(*result);
  if (!changes)
    return tl::unexpected(changes.error());
  const auto override_id = result->names.intern(override_source);
  const InterfaceAddresses unknown;
  NextHops next_hops{result->config, result->names, unknown};
  for (auto& zone : result->zones) {
    const auto of_zone = changes->find(zone.name);
    std::set<base::Prefix> before;
    for (const auto& old : policy.overrides)
      if (old.zone == zone.name)
        before.insert(old.prefix);
    if (of_zone == changes->end() && before.empty())
      continue;  // and shares its table with the other policy
    auto changed =
        apply(zone, before, of_zone == changes->end() ? Changes{} : of_zone->second, next_hops, override_id);
    if (!changed)
      return tl::unexpected(std::move(changed.error()));
    zone = std::move(*changed);
  }
  result->exceptions = collect_exceptions(*result);
  return result;
}

}  // namespace sekisho::policy
