// SPDX-License-Identifier: BSD-3-Clause
// Next hop `Internet`: what the dataplane writes to `sekisho0` leaves by the kernel, masqueraded, out of the exit port. It
// is up only when all of that way is: otherwise the dataplane drops what would take it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/config/config.hpp"
#include "control/netlink/netlink.hpp"

namespace sekisho::reach {

struct Exit {
  std::string port;
  std::string netdev;                    // the kernel's interface of it
  std::optional<std::uint32_t> address;  // that it is masqueraded as
  std::optional<std::uint32_t> gateway;
  bool ready = false;
  bool asking = false;  // not ready because the kernel has not answered yet
  std::string why;      // "ready"; or why not: "gateway 10.0.2.1 is FAILED"

  friend bool operator==(const Exit&, const Exit&) = default;
};

// Nothing when the configuration has none.
[[nodiscard]] auto exit(const config::Config& config, const netlink::Mirror& mirror) -> std::optional<Exit>;

}  // namespace sekisho::reach
