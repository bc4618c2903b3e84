// SPDX-License-Identifier: BSD-3-Clause
#include "control/route/effective.hpp"

namespace sekisho::route {

EffectiveRoute EffectiveRoutes::next() {
  const auto& routes = table_->candidates();
  const auto& route = routes[next_];
  if (next_ == 0 || routes[next_ - 1].prefix != route.prefix)
    winner_ = table_->wins(route) ? &route : nullptr;
  ++next_;
  if (winner_ == &route)
    return {.route = route};
  // A shadowed route would be out of force without the other routes of its prefix, too; one that outranks it is the better
  // known reason all the same.
  const auto outranked = winner_ != nullptr && winner_->origin >= route.origin;
  return {.route = route, .state = State::invalid, .winner = outranked ? winner_ : table_->shadow(route)};
}

void for_each_effective(const RouteTable& table, const std::function<void(const EffectiveRoute&)>& visit) {
  for (EffectiveRoutes routes{table}; !routes.done();)
    visit(routes.next());
}

}  // namespace sekisho::route
