// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// The dataplane forwards without it; with it, only the guard stands between the ports and the kernel's own forwarding.
Findings check_forwarding(const System& system) {
  const std::string name = "forwarding";
  if (!system.forwards) {
    return {ok(name, "the kernel forwards nothing by itself (net.ipv4.ip_forward = 0)")};
  }
  if (!system.guard && system.root) {
    return {bad(name, "net.ipv4.ip_forward = 1 and there is no guard: the kernel forwards past the firewall",
                "sysctl -w net.ipv4.ip_forward=0")};
  }
  return {ok(name, "net.ipv4.ip_forward = 1, which Sekisho does not need; at its ports the guard decides")};
}

}  // namespace sekisho::doctor
