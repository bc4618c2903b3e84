#include "control/sync/wire_routes.hpp"

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
    : names_(&policy.names), routes_(zone.table.candidates()), own_(view.unicast) {}

bool WireRoutes::is_own() const noexcept {
  return !own_.empty() && (routes_.empty() || fib::Prefix{own_.front(), 32} <= routes_.front().prefix);
}

WireRoute WireRoutes::front() const {
  if (is_own()) {
    return {{own_.front(), 32}, host_next_hop};
  }
  return {routes_.front().prefix, wire_name((*names_)[routes_.front().next_hop])};
}

void WireRoutes::pop() {
  const auto prefix = front().prefix;
  if (is_own()) {
    own_ = own_.subspan(1);
  }
  skip_prefix(prefix);
}

// The winner and the candidates that it beat.
void WireRoutes::skip_prefix(fib::Prefix prefix) noexcept {
  while (!routes_.empty() && routes_.front().prefix == prefix) {
    routes_ = routes_.subspan(1);
  }
}

}  // namespace sekisho::sync
