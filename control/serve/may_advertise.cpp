// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/may_advertise.hpp"

#include <algorithm>
#include <set>

#include "control/policy/internet_next_hops.hpp"
#include "control/serve/verdict.hpp"

namespace sekisho::serve {
namespace {

// Why no port runs that leads to a living member of `via`.
auto why_no_port(const config::NextHop& via, const std::vector<reach::Member>& members,
                 const std::vector<Problem>& problems) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& member : members) {
    if (!member.alive || std::ranges::find(via.members, member.address) == via.members.end()) {
      continue;
    }
    const auto reasons = why_port_down(member.port, problems);
    if (reasons.empty()) {
      return {};
    }
    for (const auto& reason : reasons) {
      if (std::ranges::find(result, reason) == result.end()) {
        result.push_back(reason);
      }
    }
  }
  return result;
}

// What zones reach the Internet by: the exit has no members and is not among them.
auto internet_vias(const policy::Policy& policy) -> std::vector<const config::NextHop*> {
  std::set<std::string> names;
  for (const auto& zone : policy.config.zones) {
    if (zone.reaches_internet()) {
      names.merge(policy::internet_next_hops(policy, *policy.zone(zone.name)));
    }
  }
  std::vector<const config::NextHop*> result;
  for (const auto& next_hop : policy.config.next_hops) {
    if (names.contains(next_hop.name)) {
      result.push_back(&next_hop);
    }
  }
  return result;
}

}  // namespace

auto why_not_advertised(const policy::Policy& policy, const std::vector<reach::Member>& members,
                        const std::vector<Problem>& problems) -> std::vector<std::string> {
  if (auto reasons = why_closed(policy, problems); !reasons.empty()) {
    return reasons;
  }
  std::vector<std::string> reasons;
  for (const auto* via : internet_vias(policy)) {
    const auto why = why_no_port(*via, members, problems);
    if (why.empty()) {
      return {};
    }
    reasons.insert(reasons.end(), why.begin(), why.end());
  }
  return reasons;
}

}  // namespace sekisho::serve
