// SPDX-License-Identifier: BSD-3-Clause
#include "control/prove/way.hpp"

#include <algorithm>

#include "control/policy/written.hpp"

namespace sekisho::prove {

Allowed::Allowed(const policy::Policy& policy, const std::vector<std::string>& via, bool named_exceptions)
    : policy_(policy),
      next_hops_(policy.names.size()),
      drop_(std::ranges::find(via, policy::none) != via.end()),
      connected_(std::ranges::find(via, config::connected) != via.end()),
      named_exceptions_(named_exceptions) {
  for (route::NameId id = 0; id < policy.names.size(); ++id)
    next_hops_[id] = std::ranges::find(via, policy.names[id]) != via.end();
}

// Whoever writes a next hop's name or address means just that one. What a type of Azure's stands for is resolved here, and whoever
// wrote it may not have thought of that.
bool Allowed::is_named_exception(const route::Route& route) const {
  if (!route::is_user(route.origin) || policy_.names[route.source] == policy::override_source)
    return false;
  using Type = route::NextHopType;
  return route.type == Type::named || route.type == Type::virtual_appliance ||
         route.type == Type::virtual_appliance_ecmp || route.type == Type::internet;
}

auto decider_of(const policy::Policy& policy, const Way& way) -> Decider {
  const std::string drop{config::dropped};
  if (way.kernel != nullptr) {
    const auto connected = way.kernel->kind == KernelRoute::Kind::connected;
    return {.prefix = way.kernel->prefix,
            .next_hop = connected ? std::string{config::connected} : drop,
            .origin = std::string{route::to_string(route::Origin::system)},
            .written = way.kernel->source};
  }
  if (way.route == nullptr)
    return {.prefix = std::nullopt, .next_hop = drop, .origin = {}, .written = "no route"};
  const auto& route = *way.route;
  return {.prefix = route.prefix,
          .next_hop = policy.names[route.next_hop],
          .origin = std::string{route::to_string(route.origin)},
          .written = policy::written_at(policy, route)};
}

auto no_zone() -> Decider {
  return {.prefix = std::nullopt,
          .next_hop = std::string{config::dropped},
          .origin = {},
          .written = "no zone has this source"};
}

}  // namespace sekisho::prove
