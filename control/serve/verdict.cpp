// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "control/policy/internet_next_hops.hpp"

namespace sekisho::serve {
namespace {

constexpr std::array<std::string_view, 3> deadly{"dataplane_down", "dataplane_hung", "no_policy"};
constexpr std::array<std::string_view, 3> of_ports{"port_missing", "port_down", "link_down"};

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

// A port that differs and a file that has changed keep nobody from forwarding.
bool degrades(const Problem& problem) {
  return problem.bad || problem.kind == "next_hop_degraded";
}

template <typename Predicate>
auto reasons_where(const std::vector<Problem>& problems, Predicate holds) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& problem : problems) {
    if (holds(problem)) {
      result.push_back(problem.reason);
    }
  }
  return result;
}

// All of `each` with the reasons of all, if none is without; else nothing.
template <typename Names, typename Why>
auto why_all(const Names& names, Why why) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& name : names) {
    const auto reasons = why(name);
    if (reasons.empty()) {
      return {};
    }
    result.insert(result.end(), reasons.begin(), reasons.end());
  }
  return result;
}

auto next_hops_of(const config::Zone& zone, const policy::Policy& policy) -> std::set<std::string> {
  if (zone.reaches_internet()) {
    return policy::internet_next_hops(policy, *policy.zone(zone.name));
  }
  std::set<std::string> result;
  for (const auto& route : zone.routes) {
    if (!route.next_hop.empty() && route.next_hop != policy::none) {
      result.insert(route.next_hop);
    }
  }
  return result;
}

auto why_all_closed(const policy::Policy& policy, const std::vector<Problem>& problems)
    -> std::vector<std::string> {
  const auto& zones = policy.config.zones;
  std::vector<const config::Zone*> counted;
  const bool any_internet = std::ranges::any_of(zones, &config::Zone::reaches_internet);
  for (const auto& zone : zones) {
    if (zone.reaches_internet() || !any_internet) {
      counted.push_back(&zone);
    }
  }
  return why_all(counted, [&](const config::Zone* zone) { return why_closed(*zone, policy, problems); });
}

void append_once(std::vector<std::string>& reasons, const std::vector<std::string>& more) {
  std::ranges::copy_if(more, std::back_inserter(reasons), [&](const std::string& reason) {
    return std::ranges::find(reasons, reason) == reasons.end();
  });
}

}  // namespace

auto why_port_down(std::string_view port, const std::vector<Problem>& problems) -> std::vector<std::string> {
  return reasons_where(problems, [&](const Problem& problem) {
    return is_one_of(problem.kind, of_ports) && problem.subject == port;
  });
}

std::string_view to_string(Word word) noexcept {
  switch (word) {
    case Word::forwarding:
      return "forwarding";
    case Word::degraded:
      return "degraded";
    case Word::closed:
      break;
  }
  return "closed";
}

std::string to_string(const Verdict& verdict) {
  return verdict.reasons.empty()
             ? std::string{to_string(verdict.word)}
             : fmt::format("{}: {}", to_string(verdict.word), fmt::join(verdict.reasons, "; "));
}

auto why_dead(const std::vector<Problem>& problems) -> std::vector<std::string> {
  return reasons_where(problems, [](const Problem& problem) { return is_one_of(problem.kind, deadly); });
}

auto why_down(std::string_view next_hop, const std::vector<Problem>& problems) -> std::vector<std::string> {
  return reasons_where(problems, [&](const Problem& problem) {
    return problem.kind == "next_hop_down" && problem.subject == next_hop;
  });
}

auto why_closed(const config::Zone& zone, const policy::Policy& policy, const std::vector<Problem>& problems)
    -> std::vector<std::string> {
  auto reasons = why_all(zone.ports, [&](const std::string& port) { return why_port_down(port, problems); });
  append_once(reasons, reasons_where(problems, [&](const Problem& problem) {
                return problem.kind == "default_not_learned" && problem.subject == zone.name;
              }));
  append_once(reasons, why_all(next_hops_of(zone, policy), [&](const std::string& name) {
                return name == policy::none
                           ? std::vector{fmt::format("zone {}: the default goes to None", zone.name)}
                           : why_down(name, problems);
              }));
  return reasons;
}

auto why_closed(const policy::Policy& policy, const std::vector<Problem>& problems)
    -> std::vector<std::string> {
  auto reasons = why_dead(problems);
  append_once(reasons, why_all_closed(policy, problems));
  return reasons;
}

auto judge(const policy::Policy& policy, const std::vector<Problem>& problems) -> Verdict {
  Verdict verdict{.reasons = why_closed(policy, problems)};
  if (!verdict.reasons.empty()) {
    verdict.word = Word::closed;
  }
  append_once(verdict.reasons, reasons_where(problems, degrades));
  if (verdict.word == Word::forwarding && !verdict.reasons.empty()) {
    verdict.word = Word::degraded;
  }
  return verdict;
}

}  // namespace sekisho::serve
