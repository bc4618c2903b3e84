// SPDX-License-Identifier: BSD-3-Clause
// Each check judges one thing; pure. By subject: processes.cpp, kernel.cpp, ports.cpp, resources.cpp, bgp.cpp, check_cloud.cpp.
#pragma once

#include "control/doctor/finding.hpp"
#include "control/doctor/system.hpp"

namespace sekisho::doctor {

[[nodiscard]] Findings check_configuration(const System& system);
[[nodiscard]] Findings check_control(const System& system);
[[nodiscard]] Findings check_state(const System& system);
[[nodiscard]] Findings check_dataplane(const System& system);
[[nodiscard]] Findings check_guard(const System& system);
[[nodiscard]] Findings check_forwarding(const System& system);
[[nodiscard]] Findings check_rp_filter(const System& system);
[[nodiscard]] Findings check_neighbours(const System& system);
[[nodiscard]] Findings check_nics(const System& system);
[[nodiscard]] Findings check_iommu(const System& system);
[[nodiscard]] Findings check_xdp(const System& system);
[[nodiscard]] Findings check_mtus(const System& system);
[[nodiscard]] Findings check_companions(const System& system);
[[nodiscard]] Findings check_hugepages(const System& system);
[[nodiscard]] Findings check_memory(const System& system);
[[nodiscard]] Findings check_lcores(const System& system);
[[nodiscard]] Findings check_cloud(const System& system);
[[nodiscard]] Findings check_clock(const System& system);
[[nodiscard]] Findings check_frr(const System& system);

// All of them, the worst first, otherwise in this order.
[[nodiscard]] Findings examine(const System& system);

}  // namespace sekisho::doctor
