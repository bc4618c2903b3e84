// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_guard(const System& system) {
  const std::string name = "guard";
  const auto mend = fmt::format("sekisho guard on --config {}", system.file);
  if (!system.guard && !system.root) {
    return {warning(name, "the nftables rules cannot be seen without root", "sudo sekisho doctor")};
  }
  if (!system.guard) {
    return {bad(name, system.guard.error(), mend)};
  }
  Findings findings;
  for (const auto& problem : system.guard_problems) {
    findings.push_back(bad(name, problem, mend));
  }
  for (const auto& port : system.unsteered) {
    findings.push_back(warning(name, port, "systemctl start sekisho-dataplane sekisho-control"));
  }
  if (findings.empty()) {
    findings.push_back(ok(name, "every lock holds: the kernel forwards nothing from or to a port"));
  }
  return findings;
}

}  // namespace sekisho::doctor
