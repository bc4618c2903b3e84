// SPDX-License-Identifier: BSD-3-Clause
// `show routes`: the effective routes of zones' tables, a page at a time, so that 900,000 of them need
// neither memory nor a pause of the daemon. The pages are of one policy, also when another takes its place
// meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/json.hpp"
#include "control/sync/kernel_routes.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

struct RouteQuery {
  std::optional<std::string> zone;     // none: every zone
  std::optional<base::Prefix> prefix;  // none: every prefix
  bool longer = false;                 // also what `prefix` covers
};

class RoutePages {
 public:
  static constexpr std::size_t page_size = 4096;

  // With what the kernel knows at this moment, but our own addresses, which are no routes to anybody else.
  [[nodiscard]] static auto open(std::shared_ptr<const policy::Policy> policy, const sync::View& view,
                                 RouteQuery query) -> tl::expected<RoutePages, std::string>;
  [[nodiscard]] Json next();  // an array, empty only when there is nothing at all
  [[nodiscard]] bool more();

 private:
  RoutePages(std::shared_ptr<const policy::Policy> policy, const sync::View& view, RouteQuery query);
  void enter_zone();          // places both cursors on its first routes asked for
  [[nodiscard]] bool seek();  // on to the next winner asked for, over the zones' ends
  [[nodiscard]] Json take();
  void skip_losers();
  [[nodiscard]] std::optional<base::Prefix> front() const;
  [[nodiscard]] bool is_kernel() const;  // what stands in front
  [[nodiscard]] bool wanted(const policy::ZonePolicy& zone) const;

  std::shared_ptr<const policy::Policy> policy_;
  std::shared_ptr<const sync::View> view_;
  RouteQuery query_;
  std::size_t zone_ = 0;
  std::vector<sync::KernelRoute> kernel_;  // of the zone, from here on, the last one first
  std::size_t route_ = 0;
};

}  // namespace sekisho::serve
