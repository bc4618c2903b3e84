// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/may_advertise.hpp"

#include <algorithm>

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

}  // namespace

auto why_not_advertised(const config::Config& config, const std::vector<reach::Member>& members,
                        const std::vector<Problem>& problems) -> std::vector<std::string> {
  if (auto reasons = why_closed(config, problems); !reasons.empty()) {
    return reasons;
  }
  if (!config.internet) {
    return {};
  }
  const auto via = std::ranges::find(config.next_hops, config.internet->via, &config::NextHop::name);
  return via == config.next_hops.end() ? std::vector<std::string>{} : why_no_port(*via, members, problems);
}

}  // namespace sekisho::serve
