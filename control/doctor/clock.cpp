// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// For logs and metrics to agree with other machines'; forwarding does not need it.
Findings check_clock(const System& system) {
  const std::string name = "clock";
  if (!system.clock_synchronised) {
    return {warning(name, "the clock is not synchronised: times in logs will not match other machines'",
                    "apt install chrony")};
  }
  return {ok(name, "the clock is synchronised")};
}

}  // namespace sekisho::doctor
