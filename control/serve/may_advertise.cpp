// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/may_advertise.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "control/serve/verdict.hpp"

namespace sekisho::serve {
namespace {

constexpr std::array<std::string_view, 3> about_ports{"port_missing", "port_down", "link_down"};

auto problem_of_port(std::string_view port, const std::vector<Problem>& problems) -> const Problem* {
  const auto found = std::ranges::find_if(problems, [&](const Problem& problem) {
    return problem.subject == port && std::ranges::find(about_ports, problem.kind) != about_ports.end();
  });
  return found == problems.end() ? nullptr : &*found;
}

// Why no port runs that leads to a living member of `via`.
auto why_no_port(const config::NextHop& via, const std::vector<reach::Member>& members,
                 const std::vector<Problem>& problems) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& member : members) {
    if (!member.alive || std::ranges::find(via.members, member.address) == via.members.end()) {
      continue;
    }
    const auto* problem = problem_of_port(member.port, problems);
    if (problem == nullptr) {
      return {};
    }
    if (std::ranges::find(result, problem->reason) == result.end()) {
      result.push_back(problem->reason);
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
