// SPDX-License-Identifier: BSD-3-Clause
// The answer that cannot be wrong: a map for each prefix length, asked from the longest to the shortest.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/fib.hpp"

namespace sekisho::fib::testing {

inline base::Prefix make_prefix(std::uint32_t address, unsigned length) {
  base::Prefix prefix{.address = address, .length = static_cast<std::uint8_t>(length)};
  prefix.address &= prefix.mask();
  return prefix;
}

inline base::Prefix operator""_prefix(const char* text, std::size_t size) {
  return base::parse_prefix({text, size}).value();
}

inline std::uint32_t operator""_address(const char* text, std::size_t size) {
  return base::parse_address({text, size}).value();
}

inline auto routes_of(const Fib& fib) {
  std::vector<Route> routes;
  fib.for_each([&](const Route& route) { routes.push_back(route); });
  return routes;
}

class Oracle {
 public:
  // Returns the changes that undo these.
  std::vector<Route> apply(std::span<const Route> changes) {
    std::vector<Route> undo;
    for (const auto& [prefix, next_hop] : changes) {
      undo.push_back({.prefix = prefix, .value = find(prefix)});
      const int long_prefixes =
          (prefix.length > 24) * ((next_hop != no_route) - (undo.back().value != no_route));
      if (long_prefixes != 0 && (extended_[prefix.address >> 8] += long_prefixes) == 0) {
        extended_.erase(prefix.address >> 8);
      }
      if (next_hop == no_route) {
        routes_[prefix.length].erase(prefix.address);
      } else {
        routes_[prefix.length][prefix.address] = next_hop;
      }
    }
    std::reverse(undo.begin(), undo.end());
    return undo;
  }

  [[nodiscard]] Value find(base::Prefix prefix) const {
    const auto found = routes_[prefix.length].find(prefix.address);
    return found == routes_[prefix.length].end() ? no_route : found->second;
  }

  [[nodiscard]] std::optional<Route> match(std::uint32_t address) const {
    for (int length = 32; length >= 0; --length) {
      const base::Prefix prefix = make_prefix(address, static_cast<unsigned>(length));
      const auto& of_length = routes_[prefix.length];
      if (const auto found = of_length.find(prefix.address); found != of_length.end()) {
        return Route{.prefix = prefix, .value = found->second};
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] Value lookup(std::uint32_t address) const {
    const auto route = match(address);
    return route ? route->value : no_route;
  }

  [[nodiscard]] std::vector<Route> routes() const {
    std::map<base::Prefix, Value> sorted;
    for (unsigned length = 0; length <= 32; ++length) {
      for (const auto& [address, next_hop] : routes_[length]) {
        sorted.emplace(make_prefix(address, length), next_hop);
      }
    }
    std::vector<Route> routes;
    for (const auto& [prefix, next_hop] : sorted) {
      routes.push_back({.prefix = prefix, .value = next_hop});
    }
    return routes;
  }

  // The /24s that have a longer prefix: each costs an extension table.
  [[nodiscard]] std::size_t extension_tables() const { return extended_.size(); }
  [[nodiscard]] bool is_extended(std::uint32_t address) const { return extended_.contains(address >> 8); }

 private:
  std::array<std::unordered_map<std::uint32_t, Value>, 33> routes_;
  std::unordered_map<std::uint32_t, int> extended_;  // /24 to the number of its longer prefixes
};

}  // namespace sekisho::fib::testing
