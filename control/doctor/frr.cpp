// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// Nothing in a configuration asks for it yet.
Findings check_frr(const System& system) {
  return {ok("frr", system.frr.empty() ? "FRR is not installed, and nothing here needs it"
                                       : fmt::format("FRR {} is installed", system.frr))};
}

}  // namespace sekisho::doctor
