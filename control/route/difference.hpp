// SPDX-License-Identifier: BSD-3-Clause
// What separates two route tables: the routes, and how many addresses they send elsewhere. Pure.
//
// Two routes are the same when prefix and next hop are; who wrote them does not matter to a packet. Next hops are compared by
// name, for each table has names of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/prefix.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::route {

struct Change {
  base::Prefix prefix;
  const std::string* before;  // next hop; null: the route is added
  const std::string* after;   // null: it is removed
};

// Addresses that go elsewhere: both ends are among them.
struct Moved {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  const std::string* before;  // next hop; null: none
  const std::string* after;
};

struct Difference {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;
  std::uint64_t addresses = 0;  // of 2^32, whose next hop is another one, or none
};

struct Side {
  const RouteTable& table;
  const Names& names;
};

// Gives `visit` each change, sorted by prefix, and `moved`, unless it is empty, the addresses in order; what follows one another may
// go from and to the same. Time is linear in the routes; no memory to speak of.
auto difference(Side before, Side after, const std::function<void(const Change&)>& visit,
                const std::function<void(const Moved&)>& moved = {}) -> Difference;

}  // namespace sekisho::route
