// SPDX-License-Identifier: BSD-3-Clause
// What the kernel must not forward, and what alone it may. Pure.
//
// The forward hook is closed for the whole host: the packets that a rule names are let through, and nothing else is.
// Whatever interfaces are called, and whatever becomes of them, no rule has to match for a packet to be dropped.
//
// On a host that forwards for others, too (`[guard] scope = "ports"`), `allow` names the interfaces among which the kernel
// may forward. A port is then known by its name, by its index (which a rename leaves alone) and by its MAC (which stays
// when the interface is made anew), and stays guarded until `sekisho guard off`.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/config/config.hpp"
#include "control/netlink/mirror.hpp"

namespace sekisho::guard {

// By which exceptions leave: what comes in by `in` (sekisho0) may go out by `out`, masqueraded. Links by index: another
// interface that takes the name of one of them opens nothing.
struct Exit {
  int in = 0;
  int out = 0;
  friend bool operator==(const Exit&, const Exit&) = default;
};

struct Guard {
  // Of ports, now and ever since the guard was switched on; nothing is forwarded from or to them, whatever `allow` says.
  std::set<std::string> names;
  std::set<int> links;
  std::set<base::MacAddress> stations;
  // Names of interfaces among which the kernel may forward (scope "ports"); nothing: it forwards for nobody (scope "host").
  std::optional<std::set<std::string>> allow;
  std::optional<Exit> exit;
  std::vector<base::Prefix> exceptions;  // that leave by the exit; sorted, none covers another
  friend bool operator==(const Guard&, const Guard&) = default;

  [[nodiscard]] bool is_whole_host() const { return !allow; }
  // Nothing is forwarded but what leaves by the exit.
  [[nodiscard]] bool is_closed() const { return !allow || allow->empty(); }
};

// While one policy follows another: what either guards is guarded, what either lets out may leave, and what both allow is
// allowed.
[[nodiscard]] auto merge(const Guard& before, const Guard& after) -> Guard;
// `now`, and what was ever guarded.
[[nodiscard]] auto remember(const Guard& before, Guard now) -> Guard;
// And links that have the MAC of what was ever guarded: the port, made anew under whatever name, or what stands above it.
[[nodiscard]] auto follow(Guard guard, const netlink::Mirror& mirror) -> Guard;

// Ports of the configuration that have an interface in the kernel, and do not have it now.
[[nodiscard]] auto missing_ports(const config::Config& config, const netlink::Mirror& mirror)
    -> std::vector<const config::Port*>;
// Of a policy that runs. While a port's interface is missing nobody knows which of the others it is: nothing is allowed.
[[nodiscard]] auto guard_of(const config::Config& config, const std::vector<base::Prefix>& exceptions,
                            const netlink::Mirror& mirror) -> Guard;
// Of one that waits: it lets nothing out yet.
[[nodiscard]] auto ports_of(const config::Config& config, const netlink::Mirror& mirror) -> Guard;

// nft reads "eth*" as a pattern, and a quote or a backslash would end or bend the string.
[[nodiscard]] bool is_quotable(std::string_view interface);

}  // namespace sekisho::guard
