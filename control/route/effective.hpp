// SPDX-License-Identifier: BSD-3-Clause
// Effective routes as Azure tells them: every candidate, whether it is in force, and what it lost to. Pure.
//
// "Invalid" (Azure, "Diagnose a virtual machine routing problem") means overridden by a route of another source for the same
// prefix, or, of BGP's, shadowed by a VNet's System route; it says nothing of health.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "control/route/route_table.hpp"

namespace sekisho::route {

enum class State : std::uint8_t { active, invalid };

struct EffectiveRoute {
  const Route& route;
  State state = State::active;
  const Route* winner = nullptr;  // what an invalid one lost to
};

// A walk of a table's candidates that may be interrupted. The table stays as it is, and lives, meanwhile.
class EffectiveRoutes {
 public:
  explicit EffectiveRoutes(const RouteTable& table) : table_(&table) {}

  [[nodiscard]] bool done() const noexcept { return next_ == table_->candidates().size(); }
  [[nodiscard]] EffectiveRoute next();  // not when done()

 private:
  const RouteTable* table_;
  std::size_t next_ = 0;
  const Route* winner_ = nullptr;  // of the last prefix; null: it has none
};

// In the table's order. The references hold during the call.
void for_each_effective(const RouteTable& table, const std::function<void(const EffectiveRoute&)>& visit);

}  // namespace sekisho::route
