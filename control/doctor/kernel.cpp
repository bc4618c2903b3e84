// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {

Findings check_guard(const System& system) {
  const std::string name = "guard";
  const auto mend = fmt::format("sekisho guard on --config {}", system.file);
  if (!system.guard && !system.root) {
    return {warning(name, "the nftables rules cannot be seen without root", "sudo sekisho doctor")};
  }
  if (!system.guard) {
    return {bad(name, system.guard.error(), mend)};
  }
  Findings findings;
  for (const auto& problem : system.guard_problems) {
    findings.push_back(bad(name, problem, mend));
  }
  for (const auto& port : system.unsteered) {
    findings.push_back(warning(name, port, "systemctl start sekisho-dataplane sekisho-control"));
  }
  if (findings.empty()) {
    findings.push_back(ok(name, "every lock holds: the kernel forwards nothing from or to a port"));
  }
  return findings;
}

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

// Linux, ip-sysctl. A neighbour that answered is believed for up to 1.5 x base_reachable_time, is asked again by the kernel within
// interval_probe_time, and is given up after delay_first_probe_time and three questions.
Findings check_neighbours(const System& system) {
  constexpr std::chrono::seconds long_time{10};
  const std::string name = "neighbours";
  Findings findings;
  for (const auto& port : system.ports) {
    if (port.interface && port.neighbour_patience && *port.neighbour_patience > long_time) {
      const auto setting = fmt::format("net.ipv4.neigh.{}.", port.interface->name);
      findings.push_back(warning(
          name,
          fmt::format("port {}: a member without a probe that dies keeps its flows for up to {} s", port.name,
                      std::chrono::ceil<std::chrono::seconds>(*port.neighbour_patience).count()),
          fmt::format("give its next hop a probe; or sysctl -w {0}base_reachable_time_ms=1000 "
                      "{0}delay_first_probe_time=1 {0}retrans_time_ms=200 {0}interval_probe_time_ms=500",
                      setting)));
    }
  }
  if (findings.empty()) {
    findings.push_back(ok(name, "a member that dies is noticed within seconds"));
  }
  return findings;
}

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
