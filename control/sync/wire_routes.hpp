// A zone's table as the dataplane has it: the policy's winners, and in front of them our own addresses, which belong to the
// host. Nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::sync {

struct WireRoute {
  fib::Prefix prefix;
  std::string_view next_hop;  // as the dataplane calls it
};

// Goes through them in the order of their prefixes. Policy and view must outlive it and what it gives.
class WireRoutes {
 public:
  WireRoutes(const policy::Policy& policy, const policy::ZonePolicy& zone, const View& view);

  [[nodiscard]] bool done() const noexcept { return routes_.empty() && own_.empty(); }
  [[nodiscard]] WireRoute front() const;  // unless done
  void pop();                             // the same

 private:
  // Our own address stands first, also where the policy has a route for exactly it.
  [[nodiscard]] bool is_own() const noexcept;
  void skip_prefix(fib::Prefix prefix) noexcept;

  const route::Names* names_;
  std::span<const route::Route> routes_;  // candidates from here on; the first is a winner
  std::span<const std::uint32_t> own_;    // addresses from here on
};

}  // namespace sekisho::sync
