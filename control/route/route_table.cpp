// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/route_table.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <span>
#include <utility>

namespace sekisho::route {
namespace {

// Orders as Prefix does, and for the same prefix the greater origin first.
constexpr std::uint64_t sort_key(const Route& route) {
  return std::uint64_t{route.prefix.address} << 16 | std::uint64_t{route.prefix.length} << 8 |
         (0xffU - static_cast<unsigned>(route.origin));
}

// Of one prefix, in order: how many another of the same origin replaced.
std::size_t equals(std::span<const Route> group) {
  std::size_t result = 0;
  for (std::size_t i = 1; i < group.size(); ++i)
    result += group[i].origin == group[i - 1].origin;
  return result;
}

}  // namespace

std::string_view to_string(Origin origin) noexcept {
  if (is_user(origin))
    return "User";
  return origin == Origin::bgp ? "BGP" : "System";
}

bool is_user(Origin origin) noexcept {
  return origin >= Origin::user_cloud_tag;
}

NameId Names::intern(std::string_view name) {
  const auto [entry, added] = ids_.try_emplace(std::string{name}, static_cast<NameId>(names_.size()));
  if (added)
    names_.emplace_back(name);
  return entry->second;
}

RouteTable::Content& RouteTable::own() {
  if (content_.use_count() != 1)
    content_ = std::make_shared<Content>(*content_);
  else if (content_->is_finished)  // others may be made of it as it is
    content_ = std::make_shared<Content>(std::move(*content_));
  content_->is_finished = false;
  content_->made_of.reset();
  content_->changed.clear();
  return *content_;
}

void RouteTable::finish() {
  auto& content = own();
  sort(content);
  cast_shadows(content);
  content.is_finished = true;
}

auto RouteTable::with(const std::map<base::Prefix, std::vector<Route>>& others) const -> RouteTable {
  RouteTable result;
  auto& content = result.own();
  auto& routes = content.routes;
  std::size_t more = 0;
  for (const auto& [prefix, group] : others)
    more += group.size();
  routes.reserve(candidates().size() + more);
  content.duplicates = content_->duplicates;
  bool has_shadows = !content_->shadows.empty();
  // A route that shadows others, or the default, decides about other prefixes, too.
  const auto reaches_others = [](const Route& route) {
    return route.origin == Origin::vnet || route.prefix.length == 0;
  };
  bool is_local = true;
  auto from = candidates().begin();
  for (const auto& [prefix, group] : others) {
    const auto [begin, end] = std::ranges::equal_range(from, candidates().end(), prefix, {}, &Route::prefix);
    routes.insert(routes.end(), from, begin);
    content.duplicates -= equals({begin, end});
    is_local =
        is_local && std::none_of(begin, end, reaches_others) && std::ranges::none_of(group, reaches_others);
    const auto first = routes.insert(routes.end(), group.rbegin(), group.rend());
    std::ranges::stable_sort(first, routes.end(), std::ranges::greater{}, &Route::origin);
    content.duplicates += equals({first, routes.end()});
    has_shadows |=
        std::ranges::any_of(group, [](const Route& route) { return route.origin == Origin::vnet; });
    from = end;
  }
  routes.insert(routes.end(), from, candidates().end());
  if (has_shadows)
    settle(content);
  if (is_local) {
    content.made_of = content_;
    std::ranges::copy(others | std::views::keys, std::back_inserter(content.changed));
  }
  content.is_finished = true;
  return result;
}

auto RouteTable::changed_since(const RouteTable& other) const noexcept -> const std::vector<base::Prefix>* {
  const auto made_of = content_->made_of.lock();
  return made_of && made_of == other.content_ ? &content_->changed : nullptr;
}

auto RouteTable::merged(const std::vector<Route>& more, const std::function<bool(const Route&)>& gone) const
    -> RouteTable {
  RouteTable result;
  auto& content = result.own();
  auto& routes = content.routes;
  routes.reserve(candidates().size() + more.size());
  auto next = more.begin();
  for (const auto& candidate : candidates()) {
    for (; next != more.end() && next->prefix <= candidate.prefix; ++next)
      routes.push_back(*next);
    if (!gone(candidate))
      routes.push_back(candidate);
  }
  routes.insert(routes.end(), next, more.end());
  settle(content);
  content.is_finished = true;
  return result;
}

// Of routes that are sorted by prefix: what is shadowed by other routes than before stands where it belongs again.
void RouteTable::settle(Content& content) {
  auto& routes = content.routes;
  content.duplicates = 0;
  for (auto group = routes.begin(); group != routes.end();) {
    const auto end =
        std::find_if(group, routes.end(), [&](const Route& route) { return route.prefix != group->prefix; });
    if (end - group > 1) {
      std::ranges::stable_sort(group, end, std::ranges::greater{}, &Route::origin);
      content.duplicates += equals({group, end});
    }
    group = end;
  }
  cast_shadows(content);
}

void RouteTable::sort(Content& content) {
  auto& routes = content.routes;
  struct Key {
    std::uint64_t key;
    std::uint32_t added;
  };
  const auto before = [](const Key& a, const Key& b) {
    return a.key != b.key ? a.key < b.key : a.added > b.added;
  };
  std::vector<Key> keys;
  keys.reserve(routes.size());
  std::vector<std::ptrdiff_t> runs;  // where what is sorted already begins
  for (std::uint32_t i = 0; i < routes.size(); ++i) {
    keys.push_back({sort_key(routes[i]), i});
    if (i == 0 || keys[i].key <= keys[i - 1].key)
      runs.push_back(i);
  }
  content.duplicates = 0;
  if (runs.size() <= 1)
    return;
  // The System routes and then a sorted file or two is how most tables come: those are merged, not sorted
  // again.
  constexpr std::size_t few = 16;
  if (runs.size() <= few) {
    runs.push_back(static_cast<std::ptrdiff_t>(keys.size()));
    for (std::size_t i = 1; i + 1 < runs.size(); ++i)
      std::inplace_merge(keys.begin(), keys.begin() + runs[i], keys.begin() + runs[i + 1], before);
  } else {
    std::sort(keys.begin(), keys.end(), before);
  }
  std::vector<Route> in_order;
  in_order.reserve(routes.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    in_order.push_back(routes[keys[i].added]);
    content.duplicates += i != 0 && keys[i - 1].key == keys[i].key;
  }
  routes = std::move(in_order);
}

// Pre-order: a route that casts a shadow stands before everything that it covers, and behind its last address comes nothing
// that it does.
void RouteTable::cast_shadows(Content& content) {
  auto& routes = content.routes;
  auto& shadows = content.shadows;
  shadows.clear();
  for (auto group = routes.begin(); group != routes.end();) {
    const auto prefix = group->prefix;
    const auto end =
        std::find_if(group, routes.end(), [&](const Route& route) { return route.prefix != prefix; });
    auto in_shadow = !shadows.empty() && routes[shadows.back()].prefix.covers(prefix);
    if (!in_shadow && group->origin == Origin::vnet) {
      shadows.push_back(static_cast<std::size_t>(group - routes.begin()));
      in_shadow = true;
    }
    if (in_shadow) {  // a System route that BGP would override comes into force
      const auto is_bgp = [](const Route& route) { return route.origin == Origin::bgp; };
      const auto bgp = std::find_if(group, end, is_bgp);
      std::rotate(bgp, std::find_if_not(bgp, end, is_bgp), end);
    }
    group = end;
  }
}

const Route* RouteTable::shadow(const Route& route) const noexcept {
  return route.origin == Origin::bgp           ? shadow_of_vnet(route.prefix)
         : route.origin == Origin::system_none ? default_past_none()
                                               : nullptr;
}

const Route* RouteTable::shadow_of_vnet(base::Prefix prefix) const noexcept {
  const auto behind = std::ranges::upper_bound(
      content_->shadows, prefix, {}, [this](std::size_t index) { return candidates()[index].prefix; });
  if (behind == content_->shadows.begin())
    return nullptr;
  const auto& last = candidates()[behind[-1]];
  return last.prefix.covers(prefix) ? &last : nullptr;
}

// The default is the first prefix of all, and its winner the first of its candidates.
const Route* RouteTable::default_past_none() const noexcept {
  const auto& first = candidates().front();
  const bool is_ours = first.prefix.length == 0 && (first.origin == Origin::bgp || is_user(first.origin));
  return is_ours && first.type != NextHopType::none && first.type != NextHopType::internet ? &first : nullptr;
}

std::vector<Route> RouteTable::winners() const {
  std::vector<Route> result;
  result.reserve(candidates().size());
  std::ranges::copy(active(), std::back_inserter(result));
  return result;
}

std::vector<Route> RouteTable::covering(std::uint32_t address) const {
  std::vector<Route> result;
  for (int length = 32; length >= 0; --length) {
    base::Prefix prefix{0, static_cast<std::uint8_t>(length)};
    prefix.address = address & prefix.mask();
    const auto [begin, end] = std::ranges::equal_range(candidates(), prefix, {}, &Route::prefix);
    result.insert(result.end(), begin, end);
  }
  std::ranges::stable_partition(result, [this](const Route& route) { return shadow(route) == nullptr; });
  return result;
}

std::optional<Route> RouteTable::lookup(std::uint32_t address) const {
  for (int length = 32; length >= 0; --length) {
    base::Prefix prefix{0, static_cast<std::uint8_t>(length)};
    prefix.address = address & prefix.mask();
    const auto found = std::ranges::lower_bound(candidates(), prefix, {}, &Route::prefix);
    if (found != candidates().end() && found->prefix == prefix && wins(*found))
      return *found;
  }
  return std::nullopt;
}

}  // namespace sekisho::route
