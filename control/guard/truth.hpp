// SPDX-License-Identifier: BSD-3-Clause
// Which locks hold now, each asked of the kernel. Changes nothing.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/guard/guard.hpp"

namespace sekisho::guard {

// The locks of one port's interface in the kernel.
struct PortLocks {
  std::string port;
  std::string interface;  // empty: it is not there, and has no locks
  bool is_exit = false;   // it has to forward
  bool forwards = false;  // net.ipv4.conf.NAME.forwarding
  bool has_ingress = false;
  // The XDP program. Nothing: DPDK owns the device, and what comes in reaches no kernel.
  std::optional<bool> is_steered;
};

struct Truth {
  tl::expected<Guard, std::string> table;  // or why there is none that holds
  std::vector<PortLocks> ports;
  std::vector<std::string> forwarding;  // other interfaces that forward and must not
  bool new_links_forward = false;       // an interface that is made now would, and must not
  bool ipv6_forwards = false;           // the whole host does, and must not
  // A sentence for each lock that is missing. Of steering apart: it is there once the dataplane has opened the port.
  std::vector<std::string> problems;
  std::vector<std::string> unsteered;
  std::vector<std::string> absent;  // ports whose interface is not there: their locks go on when it comes
};

// All locks that are missing on what is there, a sentence each; empty: all hold.
[[nodiscard]] auto problems(const Truth& truth) -> std::vector<std::string>;

[[nodiscard]] auto ask(const config::Config& config, const netlink::Mirror& mirror) -> Truth;

}  // namespace sekisho::guard
