// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <functional>
#include <iterator>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings examine(const System& system) {
  Findings all;
  for (const auto check :
       {check_state, check_configuration, check_control, check_dataplane, check_guard, check_forwarding,
        check_rp_filter, check_nics, check_iommu, check_xdp, check_companions, check_hugepages, check_memory,
        check_lcores, check_clock, check_frr}) {
    auto findings = check(system);
    all.insert(all.end(), std::make_move_iterator(findings.begin()), std::make_move_iterator(findings.end()));
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &Finding::verdict);
  return all;
}

}  // namespace sekisho::doctor
