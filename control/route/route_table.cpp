#include "control/route/route_table.hpp"

#include <algorithm>
#include <cstddef>

namespace sekisho::route {
namespace {

// Orders as Prefix does, and for the same prefix the greater origin first.
constexpr std::uint64_t sort_key(const Route& route) {
  return std::uint64_t{route.prefix.address} << 16 | std::uint64_t{route.prefix.length} << 8 |
         (0xffU - static_cast<unsigned>(route.origin));
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

void RouteTable::finish() {
  struct Key {
    std::uint64_t key;
    std::uint32_t added;
  };
  const auto before = [](const Key& a, const Key& b) {
    return a.key != b.key ? a.key < b.key : a.added > b.added;
  };
  std::vector<Key> keys;
  keys.reserve(routes_.size());
  std::vector<std::ptrdiff_t> runs;  // where what is sorted already begins
  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    keys.push_back({sort_key(routes_[i]), i});
    if (i == 0 || keys[i].key <= keys[i - 1].key)
      runs.push_back(i);
  }
  duplicates_ = 0;
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
  in_order.reserve(routes_.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    in_order.push_back(routes_[keys[i].added]);
    duplicates_ += i != 0 && keys[i - 1].key == keys[i].key;
  }
  routes_ = std::move(in_order);
}

std::vector<Route> RouteTable::winners() const {
  std::vector<Route> result;
  result.reserve(routes_.size());
  for (const auto& route : routes_) {
    if (result.empty() || result.back().prefix != route.prefix)
      result.push_back(route);
  }
  return result;
}

std::vector<Route> RouteTable::covering(std::uint32_t address) const {
  std::vector<Route> result;
  for (int length = 32; length >= 0; --length) {
    fib::Prefix prefix{0, static_cast<std::uint8_t>(length)};
    prefix.address = address & prefix.mask();
    const auto [begin, end] = std::ranges::equal_range(routes_, prefix, {}, &Route::prefix);
    result.insert(result.end(), begin, end);
  }
  return result;
}

std::optional<Route> RouteTable::lookup(std::uint32_t address) const {
  for (int length = 32; length >= 0; --length) {
    fib::Prefix prefix{0, static_cast<std::uint8_t>(length)};
    prefix.address = address & prefix.mask();
    const auto found = std::ranges::lower_bound(routes_, prefix, {}, &Route::prefix);
    if (found != routes_.end() && found->prefix == prefix)
      return *found;
  }
  return std::nullopt;
}

}  // namespace sekisho::route
