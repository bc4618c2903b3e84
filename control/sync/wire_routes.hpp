// SPDX-License-Identifier: BSD-3-Clause
// A zone's table as the dataplane has it: the policy's winners, and in front of them what the kernel knows (own addresses,
// connected prefixes, hosts). Of the policy nothing is copied.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/kernel_routes.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::sync {

struct WireRoute {
  base::Prefix prefix;
  std::string_view next_hop;  // as the dataplane calls it
};

// Goes through them in the order of their prefixes. Policy and view must outlive it and what it gives.
class WireRoutes {
 public:
  WireRoutes(const policy::Policy& policy, const policy::ZonePolicy& zone, const View& view);

  [[nodiscard]] bool done() const noexcept { return routes_.empty() && next_ == kernel_.size(); }
  [[nodiscard]] WireRoute front() const;  // unless done
  void pop();                             // the same

 private:
  // The kernel's stands first, also where the policy has a route of the same prefix.
  [[nodiscard]] bool is_kernel() const noexcept;
  void skip_losers() noexcept;

  const route::Names* names_;
  const route::RouteTable* table_;
  std::span<const route::Route> routes_;  // candidates from here on; the first is a winner
  std::vector<KernelRoute> kernel_;
  std::size_t next_ = 0;  // of kernel_
};

// One of them, by its prefix: where it leads to, empty when there is none. `kernel` is what kernel_routes() gave.
[[nodiscard]] auto next_hop_at(base::Prefix prefix, const policy::Policy& policy,
                               const policy::ZonePolicy& zone, std::span<const KernelRoute> kernel)
    -> std::string_view;

}  // namespace sekisho::sync
