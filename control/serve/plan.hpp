// SPDX-License-Identifier: BSD-3-Clause
// `reload --dry-run`: what a reload would do at this moment. First what comes, goes and changes by name, and how many routes;
// then these, a page at a time as `show routes` has them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"
#include "control/sync/route_difference.hpp"

namespace sekisho::serve {

// {"ports": {"added": ["wan"], "removed": [], "changed": []}, "next_hops": ..., "zones": ...,
//  "routes": {"added": 1, "changed": 0, "removed": 0}, "exit": {"before": null, "after": "wan"},
//  "metrics": {"before": null, "after": "127.0.0.1:9464"}, "health": {...}, "web": {...}, "hook": {...},
//  "settings": {"bgp": {"before": null, "after": "AS 65010; ..."}}, "overrides_dropped": 0, "warnings": [],
//  "refusals": ["zone onprem has 3 routes and would have none"]}
[[nodiscard]] Json plan_json(const Plan& plan);

// Between two configurations on this machine, of which neither runs: without harms.
[[nodiscard]] Plan plan_of(std::shared_ptr<const policy::Policy> before,
                           std::shared_ptr<const policy::Policy> after, const netlink::Mirror& mirror);

class PlanPages {
 public:
  static constexpr std::size_t page_size = 4096;

  explicit PlanPages(Plan plan);
  PlanPages(const PlanPages&) = delete;
  PlanPages& operator=(const PlanPages&) = delete;

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  // [{"zone": "onprem", "change": "~", "prefix": "10.0.0.0/8", "before": "None", "after": "firewall"}]
  [[nodiscard]] Json next();
  [[nodiscard]] bool more() const noexcept { return change_.has_value(); }

 private:
  Plan plan_;
  sync::RouteDifference difference_;
  std::optional<sync::RouteChange> change_;  // the next to be told
};

}  // namespace sekisho::serve
