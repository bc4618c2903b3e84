// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/port_links.hpp"

#include <utility>

namespace sekisho::reconcile {

auto PortLinks::look(const config::Port& port, const netlink::Mirror& mirror) -> Seen {
  const auto link = mirror.find_link_of(port);
  if (!link) {
    return {.why = link.error()};
  }
  return {.index = (*link)->index, .name = (*link)->name, .up = (*link)->up, .mtu = (*link)->mtu, .why = {}};
}

void PortLinks::report(const config::Port& port, const Seen& before, const Seen& now, Moment& moment) {
  if (now.index == 0) {
    if (before.why != now.why) {
      moment.warn("port {}: {}", port.name, now.why);
    }
    return;
  }
  const bool same = before.index == now.index;
  if (same && before.name != now.name) {
    moment.warn("port {}: its interface {} is called {} now; the port goes on", port.name, before.name,
                now.name);
  } else if (before.index != 0 && !same) {
    moment.warn("port {}: {} (link {}) has taken the place of {} (link {})", port.name, now.name, now.index,
                before.name, before.index);
  }
  if (!same || before.up != now.up) {
    moment.info("port {}: link {} is {}", port.name, now.name, now.up ? "up" : "down");
  }
  if (port.mtu != 0 && now.mtu != port.mtu && port.is_af_xdp()) {
    moment.warn("port {}: the MTU of {} is {}; it is set to {}, as configured", port.name, now.name, now.mtu,
                port.mtu);
  } else if (same && before.mtu != now.mtu) {
    moment.info("port {}: the MTU of {} is {} now, and was {}", port.name, now.name, now.mtu, before.mtu);
  }
}

auto PortLinks::follow(const config::Config& config, Moment& moment) -> std::set<std::string> {
  std::map<std::string, Seen> now;
  std::set<std::string> changed;
  for (const auto& port : config.ports) {
    if (!port.has_netdev()) {
      continue;
    }
    const auto known = seen_.find(port.name);
    const auto before = known == seen_.end() ? Seen{} : known->second;
    const auto& seen = now[port.name] = look(port, moment.mirror());
    if (known != seen_.end() && before == seen) {
      continue;
    }
    report(port, before, seen, moment);
    if (seen.index != 0 && (before.index != seen.index || before.up != seen.up)) {
      changed.insert(port.name);
    }
  }
  seen_ = std::move(now);
  return changed;
}

}  // namespace sekisho::reconcile
