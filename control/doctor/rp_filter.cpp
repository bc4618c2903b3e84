// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

// Linux, ip-sysctl: 1 is RFC 3704's strict mode, 2 its loose one, and "the max value from conf/{all,interface}/rp_filter is
// used when doing source validation".
Findings check_rp_filter(const System& system) {
  constexpr int strict = 1;
  const std::string name = "rp_filter";
  Findings findings;
  const auto effective = [&](const Interface& interface) {
    return std::max(system.rp_filter_all, interface.rp_filter);
  };
  for (const auto& port : system.ports) {
    if (port.interface && port.interface->present && effective(*port.interface) == strict) {
      findings.push_back(warning(
          name,
          fmt::format(
              "{} drops what comes to this host from addresses that it would answer by another interface, "
              "as a load balancer's probes do",
              port.interface->name),
          fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2", port.interface->name)));
    }
  }
  if (system.exit && system.exit->present && effective(*system.exit) != 0) {
    const auto& exit = system.exit->name;
    const auto mend =
        fmt::format("sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{}.rp_filter=0", exit);
    findings.push_back(
        effective(*system.exit) == strict
            ? bad(name, fmt::format("{} drops what is to leave by the exit", exit), mend)
            : warning(name,
                      fmt::format("{} drops what is to leave by the exit, unless the kernel has a route back",
                                  exit),
                      mend));
  }
  if (findings.empty()) {
    findings.push_back(ok(name, "no port drops for its source what comes to this host"));
  }
  return findings;
}

}  // namespace sekisho::doctor
