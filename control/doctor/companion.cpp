// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// The dataplane marks the TAPs that it makes, and takes no other.
Findings check_companions(const System& system) {
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.af_xdp || !port.interface || !port.interface->present) {
      continue;
    }
    const auto& interface = *port.interface;
    if (interface.driver != "tun" || interface.alias != port.companion_alias) {
      findings.push_back(bad(
          "companion",
          fmt::format("port {}: its companion cannot be made, as {} is there and was made by somebody else",
                      port.name, interface.name),
          fmt::format("ip link delete {0}, or set companion in [port.{1}] to another name", interface.name,
                      port.name)));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
