// SPDX-License-Identifier: BSD-3-Clause
// What an override may be, and what it would stand over.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::policy {

// Judges overrides of one policy, which must outlive it. A name that many of them have is looked for once.
class OverrideRules {
 public:
  explicit OverrideRules(const Policy& policy) : policy_(policy) {}

  // Where it leads, as policies name that; nothing of one that deletes. The error is one sentence: no such zone or next hop, too much
  // for an exception, a prefix that no packet can be for. Whether there is a route to delete is not asked.
  [[nodiscard]] auto check(const Override& wanted) -> tl::expected<std::optional<std::string>, std::string>;

 private:
  [[nodiscard]] auto find_next_hop(const std::string& name) -> tl::expected<std::string, std::string>;

  const Policy& policy_;
  std::map<std::string, std::string> next_hops_;  // by the name that an override has
};

// Whether the zone's files or the configuration have a User route of this prefix, whatever is overridden.
[[nodiscard]] bool has_written_route(const Policy& policy, const ZonePolicy& zone, base::Prefix prefix);

}  // namespace sekisho::policy
