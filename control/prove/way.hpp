// SPDX-License-Identifier: BSD-3-Clause
// The ways of a zone's packets, one for each range of destinations, and which of them a statement allows. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/prove/prove.hpp"
#include "control/route/nest.hpp"

namespace sekisho::prove {

// What decides; neither: there is no route.
struct Way {
  const route::Route* route = nullptr;
  const KernelRoute* kernel = nullptr;
};

// Gives `visit` (first, last, way) from the first address to the last, without gaps; both ends are in it.
template <class Visit>
void for_each_range(const route::RouteTable& table, std::span<const KernelRoute> kernel, Visit visit) {
  route::Nest<Way> nest{Way{}};
  std::uint64_t position = 0;
  const auto enter = [&](base::Prefix prefix, Way way) {
    nest.advance(position, prefix.address, visit);
    nest.enter(prefix, way);
  };
  auto beside = kernel.begin();
  for (const auto& route : table.active()) {
    for (; beside != kernel.end() && beside->prefix < route.prefix; ++beside)
      enter(beside->prefix, {nullptr, &*beside});
    enter(route.prefix, {&route, nullptr});
  }
  for (; beside != kernel.end(); ++beside)
    enter(beside->prefix, {nullptr, &*beside});
  nest.advance(position, route::all_addresses, visit);
}

class Allowed {
 public:
  // `named_exceptions`: those of the configuration, too.
  Allowed(const policy::Policy& policy, const std::vector<std::string>& via, bool named_exceptions);

  [[nodiscard]] bool drop() const noexcept { return drop_; }
  [[nodiscard]] bool operator()(const Way& way) const {
    if (way.kernel != nullptr)
      return way.kernel->kind == KernelRoute::Kind::connected ? connected_ : drop_;
    return way.route == nullptr
               ? drop_
               : next_hops_[way.route->next_hop] || (named_exceptions_ && is_named_exception(*way.route));
  }

 private:
  [[nodiscard]] bool is_named_exception(const route::Route& route) const;

  const policy::Policy& policy_;
  std::vector<bool> next_hops_;  // by NameId
  bool drop_;
  bool connected_;
  bool named_exceptions_;
};

// For people.
[[nodiscard]] auto decider_of(const policy::Policy& policy, const Way& way) -> Decider;
// Of a packet from nobody.
[[nodiscard]] auto no_zone() -> Decider;

}  // namespace sekisho::prove
