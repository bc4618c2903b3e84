// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/health.hpp"

#include <algorithm>
#include <iterator>

#include "control/policy/policy.hpp"

namespace sekisho::serve {
namespace {

auto why_unmet(const config::Requirement& required, const policy::Policy& policy,
               const std::vector<Problem>& problems) -> std::vector<std::string> {
  const auto& config = policy.config;
  using Kind = config::Requirement::Kind;
  switch (required.kind) {
    case Kind::internet:
      return config.internet ? why_down(config.internet->via, problems) : std::vector<std::string>{};
    case Kind::exit:
      return why_down(policy::leave, problems);
    case Kind::next_hop:
      return why_down(required.name, problems);
    case Kind::zone:
      break;
  }
  const auto zone = std::ranges::find(config.zones, required.name, &config::Zone::name);
  return zone == config.zones.end() ? std::vector<std::string>{} : why_closed(*zone, policy, problems);
}

void append_once(std::vector<std::string>& reasons, const std::vector<std::string>& more) {
  std::ranges::copy_if(more, std::back_inserter(reasons), [&](const std::string& reason) {
    return std::ranges::find(reasons, reason) == reasons.end();
  });
}

}  // namespace

auto health(const policy::Policy& policy, const std::vector<Problem>& problems, bool is_draining) -> Health {
  Health result{.verdict = judge(policy, problems), .is_draining = is_draining, .failures = {}};
  if (is_draining) {
    result.failures.emplace_back("it is being drained");
  }
  append_once(result.failures, why_dead(problems));
  if (const auto& asked = policy.config.health; asked && asked->require) {
    for (const auto& required : *asked->require) {
      append_once(result.failures, why_unmet(required, policy, problems));
    }
  } else if (result.verdict.word == Word::closed) {
    append_once(result.failures, result.verdict.reasons);
  }
  return result;
}

Json health_json(const Health& health) {
  auto reasons = health.failures;
  append_once(reasons, health.verdict.reasons);
  return {{"healthy", health.failures.empty()},
          {"verdict", to_string(health.verdict.word)},
          {"draining", health.is_draining},
          {"reasons", reasons}};
}

}  // namespace sekisho::serve
