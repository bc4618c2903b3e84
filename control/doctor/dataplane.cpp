// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

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

}  // namespace sekisho::doctor
