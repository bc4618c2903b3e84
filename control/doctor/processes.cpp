// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "common/base/version.hpp"
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

Findings check_configuration(const System& system) {
  const std::string name = "configuration";
  const auto check = fmt::format("sekisho check --config {}", system.file);
  if (system.configuration_error) {
    return {bad(name,
                fmt::format("{}; what depends on its ports is not examined", *system.configuration_error),
                check)};
  }
  if (system.ports.empty()) {
    return {bad(name, fmt::format("{} names no port, so nothing is forwarded", system.file),
                fmt::format("editor {} && {}", system.file, check))};
  }
  return {ok(name, fmt::format("{} is good and has {} port{}", system.file, system.ports.size(),
                               system.ports.size() == 1 ? "" : "s"))};
}

Findings check_control(const System& system) {
  const std::string name = "control";
  if (!system.control) {
    return {bad(name, system.control.error(), "systemctl enable --now sekisho-control")};
  }
  if (system.control->version != base::version()) {
    return {warning(name,
                    fmt::format("sekisho-control is of version {}, this command of {}",
                                system.control->version, base::version()),
                    "systemctl restart sekisho-control")};
  }
  return {ok(name, fmt::format("sekisho-control {} answers", system.control->version))};
}

Findings check_dataplane(const System& system) {
  const std::string name = "dataplane";
  if (!system.control) {
    return {warning(name, "whether the dataplane runs is seen through sekisho-control, which does not answer",
                    "systemctl status sekisho-dataplane")};
  }
  if (!system.control->has_dataplane) {
    return {bad(name, "sekisho-control has no dataplane, so nothing is forwarded",
                "systemctl restart sekisho-dataplane; journalctl -u sekisho-dataplane")};
  }
  if (system.control->dataplane_version != system.control->version) {
    return {
        warning(name,
                fmt::format("the dataplane is of version {}, sekisho-control of {}; restarting the dataplane "
                            "interrupts forwarding for a moment",
                            system.control->dataplane_version, system.control->version),
                "systemctl restart sekisho-dataplane")};
  }
  return {ok(name, fmt::format("the dataplane {} is connected", system.control->dataplane_version))};
}

Findings examine(const System& system) {
  Findings all;
  for (const auto check :
       {check_state, check_configuration, check_control, check_dataplane, check_guard, check_forwarding,
        check_rp_filter, check_neighbours, check_nics, check_iommu, check_xdp, check_mtus, check_companions,
        check_hugepages, check_memory, check_lcores, check_cloud, check_clock, check_frr}) {
    auto findings = check(system);
    all.insert(all.end(), std::make_move_iterator(findings.begin()), std::make_move_iterator(findings.end()));
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &Finding::verdict);
  return all;
}

}  // namespace sekisho::doctor
