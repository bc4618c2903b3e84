// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// What `sekisho show state` begins with.
Findings check_state(const System& system) {
  const std::string name = "state";
  if (!system.control) {
    return {};
  }
  Findings findings;
  for (const auto& problem : system.control->problems) {
    findings.push_back(problem.bad ? bad(name, problem.sentence, problem.remedy)
                                   : warning(name, problem.sentence, problem.remedy));
  }
  return findings.empty() ? Findings{ok(name, "ports, next hops and guard are as configured")} : findings;
}

}  // namespace sekisho::doctor
