#include "control/route/route_table.hpp"

#include <algorithm>

namespace sekisho::route {
namespace {

// Orders as Prefix does, and for the same prefix the greater origin first.
constexpr std::uint64_t sort_key(const Route& route) {
  return std::uint64_t{route.prefix.address} << 16 | std::uint64_t{route.prefix.length} << 8 |
         (0xffU - static_cast<unsigned>(route.origin));
}

}  // namespace

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::system:
      return "System";
    case Origin::bgp:
      return "BGP";
    case Origin::user:
      return "User";
  }
  return "?";
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
  std::vector<Key> keys;
  keys.reserve(routes_.size());
  bool sorted = true;
  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    keys.push_back({sort_key(routes_[i]), i});
    sorted = sorted && (i == 0 || keys[i - 1].key < keys[i].key);
  }
  duplicates_ = 0;
  if (sorted)
    return;
  std::sort(keys.begin(), keys.end(),
            [](const Key& a, const Key& b) { return a.key != b.key ? a.key < b.key : a.added > b.added; });
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
