// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/wire_routes.hpp"

#include <algorithm>

namespace sekisho::sync {
namespace {

std::string_view wire_name(std::string_view name) {
  if (name == policy::none) {
    return drop_next_hop;
  }
  return name == policy::leave ? exit_next_hop : name;
}

}  // namespace

WireRoutes::WireRoutes(const policy::Policy& policy, const policy::ZonePolicy& zone, const View& view)
    : names_(&policy.names),
      table_(&zone.table),
      routes_(zone.table.candidates()),
      kernel_(kernel_routes(zone, view)) {
  skip_losers();
}

bool WireRoutes::is_kernel() const noexcept {
  return next_ != kernel_.size() && (routes_.empty() || kernel_[next_].prefix <= routes_.front().prefix);
}

WireRoute WireRoutes::front() const {
  if (is_kernel()) {
    return {kernel_[next_].prefix, kernel_[next_].next_hop};
  }
  return {routes_.front().prefix, wire_name((*names_)[routes_.front().next_hop])};
}

void WireRoutes::pop() {
  const auto prefix = front().prefix;
  if (is_kernel()) {
    ++next_;
  }
  if (!routes_.empty() && routes_.front().prefix == prefix) {
    routes_ = routes_.subspan(1);
    skip_losers();
  }
}

void WireRoutes::skip_losers() noexcept {
  while (!routes_.empty() && !table_->wins(routes_.front())) {
    routes_ = routes_.subspan(1);
  }
}

auto next_hop_at(base::Prefix prefix, const policy::Policy& policy, const policy::ZonePolicy& zone,
                 std::span<const KernelRoute> kernel) -> std::string_view {
  const auto known = std::ranges::lower_bound(kernel, prefix, {}, &KernelRoute::prefix);
  if (known != kernel.end() && known->prefix == prefix) {
    return known->next_hop;
  }
  const auto& routes = zone.table.candidates();
  const auto found = std::ranges::lower_bound(routes, prefix, {}, &route::Route::prefix);
  const bool wins = found != routes.end() && found->prefix == prefix && zone.table.wins(*found);
  return wins ? wire_name(policy.names[found->next_hop]) : std::string_view{};
}

}  // namespace sekisho::sync
