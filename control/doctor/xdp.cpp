// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "control/doctor/checks.hpp"

namespace sekisho::doctor {
namespace {

// Linux, include/uapi/linux/netdev.h
constexpr std::uint64_t native = 1;     // NETDEV_XDP_ACT_BASIC
constexpr std::uint64_t zero_copy = 8;  // NETDEV_XDP_ACT_XSK_ZEROCOPY

constexpr std::pair oldest_kernel{5U, 3U};        // a fallback in XSKMAP redirects
constexpr std::pair managed_neighbours{5U, 16U};  // NTF_EXT_MANAGED

Finding judge_xdp(const Port& port) {
  const std::string name = "xdp";
  const auto& interface = *port.interface;
  const auto what = fmt::format("port {}: {}", port.name, interface.name);
  if (!interface.present) {
    return bad(name, fmt::format("port {}: {}", port.name, port.missing), "ip -br link");
  }
  if (!interface.xdp_features) {
    return ok(name, fmt::format("{} ({}): this kernel does not tell what the driver can; count on copy mode",
                                what, interface.driver));
  }
  if ((*interface.xdp_features & native) == 0) {
    return warning(
        name,
        fmt::format("{}: {} has no XDP of its own, and the kernel's generic one is slower", what,
                    interface.driver),
        "use a NIC whose driver has XDP, or give this one to DPDK: sekisho-bind-nic " + interface.name);
  }
  return ok(name,
            fmt::format("{}: {} has XDP{}", what, interface.driver,
                        (*interface.xdp_features & zero_copy) != 0 ? " with zero copy" : ", in copy mode"));
}

}  // namespace

Findings check_xdp(const System& system) {
  const std::string name = "xdp";
  const auto kernel = fmt::format("Linux {}.{}", system.kernel.first, system.kernel.second);
  const std::string newer = "apt install linux-image-amd64, and restart the machine";
  if (std::ranges::none_of(system.ports, &Port::af_xdp)) {
    return {ok(name, "no port uses AF_XDP")};
  }
  if (system.kernel < oldest_kernel || !system.xdp_sockets) {
    return {bad(name, fmt::format("this {} has no AF_XDP as Sekisho needs it", kernel), newer)};
  }
  Findings findings;
  if (system.kernel < managed_neighbours) {
    findings.push_back(warning(
        name, fmt::format("{} does not keep neighbours resolved by itself; from 5.16 on it does", kernel),
        newer));
  }
  for (const auto& port : system.ports) {
    if (port.af_xdp) {
      findings.push_back(judge_xdp(port));
    }
  }
  return findings;
}

}  // namespace sekisho::doctor
