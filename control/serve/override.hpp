// SPDX-License-Identifier: BSD-3-Clause
// `route add|del|replace|batch`: what an operator asks, and what that makes of the overrides in force.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/overrides.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// {"command": "route", "verb": "add", "zone": "onprem", "prefix": "10.1.0.0/16", "next_hop": "firewall"}, or several:
// {"command": "route", "changes": [{"verb": "add", ..., "line": 3}, ...], "file": "changes.txt"}
[[nodiscard]] auto read_overrides(const Json& request) -> tl::expected<RouteRequest, std::string>;

// "add 10.1.0.0/16 firewall in zone onprem"
[[nodiscard]] std::string to_string(const OverrideRequest& request);
// The same, or "batch of 400 changes".
[[nodiscard]] std::string to_string(const RouteRequest& request);

// A policy's overrides while requests change them. The policy must outlive it.
class OverrideEdit {
 public:
  explicit OverrideEdit(const policy::Policy& policy) : policy_(policy), rules_(policy) {}

  // All changes of the request, each on top of those before; or none of them. `add` refuses a prefix that has a User route, `del`
  // one that has none; the others' refusals are policy::OverrideRules'. The error names file and line, where there are some.
  [[nodiscard]] auto apply(const RouteRequest& request) -> tl::expected<void, std::string>;
  // The policy with what was applied.
  [[nodiscard]] auto finish() const -> tl::expected<std::shared_ptr<const policy::Policy>, std::string>;

 private:
  using Place = std::pair<std::string, base::Prefix>;                 // a zone's prefix
  using Wanted = std::optional<policy::Override>;                     // none: as the files have it
  using Undo = std::vector<std::pair<Place, std::optional<Wanted>>>;  // none: it was not touched

  [[nodiscard]] auto apply(const OverrideRequest& request, Undo& undo) -> tl::expected<void, std::string>;
  // Where the zone's User route of the prefix leads after what was applied; none: it has none.
  [[nodiscard]] auto user_route(const policy::ZonePolicy& zone, const Place& place) const
      -> std::optional<std::string>;

  const policy::Policy& policy_;
  policy::OverrideRules rules_;
  std::map<Place, Wanted> touched_;
};

}  // namespace sekisho::serve
