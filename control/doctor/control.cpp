// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_control(const System& system) {
  const std::string name = "control";
  if (!system.control) {
    return {bad(name, system.control.error(), "systemctl enable --now sekisho-control")};
  }
  if (system.control->version != SEKISHO_VERSION) {
    return {warning(name,
                    fmt::format("sekisho-control is of version {}, this command of {}",
                                system.control->version, SEKISHO_VERSION),
                    "systemctl restart sekisho-control")};
  }
  return {ok(name, fmt::format("sekisho-control {} answers", system.control->version))};
}

}  // namespace sekisho::doctor
