// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/truth.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "common/xdp/program.hpp"
#include "control/guard/forwarding.hpp"
#include "control/guard/ingress.hpp"
#include "control/guard/table.hpp"

namespace sekisho::guard {
namespace {

// Who may not look at a program by its id still sees that there is one.
bool is_steered(int link) {
  const auto program = xdp::attached_program(link);
  return program ? program->is_steering()
                 : program.error() == EPERM && xdp::attached_id(link).value_or(0) != 0;
}

PortLocks locks_of(const config::Port& port, const Guard& guard, const netlink::Mirror& mirror) {
  PortLocks locks{.port = port.name};
  const netlink::Link* link = mirror.link_of(port);
  if (link == nullptr) {
    return locks;
  }
  locks.interface = link->name;
  locks.is_exit = guard.exit && guard.exit->out == link->index;
  locks.forwards = link->forwarding;
  locks.has_ingress = has_ingress(link->index);
  if (port.is_af_xdp()) {
    locks.is_steered = is_steered(link->index);
  }
  return locks;
}

void judge(const PortLocks& locks, Truth& truth) {
  auto& problems = truth.problems;
  const auto say = [&](std::string_view what) {
    problems.push_back(fmt::format("port {} ({}): {}", locks.port, locks.interface, what));
  };
  if (locks.interface.empty()) {
    truth.absent.push_back(
        fmt::format("port {}: its interface is not there; its locks go on when it comes", locks.port));
    return;
  }
  if (!locks.has_ingress) {
    say("no tc program keeps transit off the kernel");
  }
  if (locks.is_steered && !*locks.is_steered) {
    truth.unsteered.push_back(
        fmt::format("port {} ({}): no steering program: the dataplane has not opened the port yet, or "
                    "somebody removed it",
                    locks.port, locks.interface));
  }
  if (locks.forwards && !locks.is_exit) {
    say("net.ipv4.conf forwarding is 1");
  }
}

}  // namespace

auto problems(const Truth& truth) -> std::vector<std::string> {
  auto all = truth.problems;
  all.insert(all.end(), truth.unsteered.begin(), truth.unsteered.end());
  return all;
}

auto ask(const config::Config& config, const netlink::Mirror& mirror) -> Truth {
  Truth truth{.table = installed()};
  auto& problems = truth.problems;
  Guard guard = truth.table ? *truth.table : ports_of(config, mirror);
  if (!truth.table) {
    problems.push_back(truth.table.error());
    guard.exit = guard_of(config, {}, mirror).exit;
  } else if (guard.is_whole_host() != config.guard.whole_host) {
    problems.push_back(
        fmt::format("the guard in nftables is that of scope = \"{}\", and the configuration says \"{}\"",
                    guard.is_whole_host() ? "host" : "ports", config.guard.whole_host ? "host" : "ports"));
  }
  for (const auto& port : config.ports) {
    if (port.has_netdev()) {
      truth.ports.push_back(locks_of(port, guard, mirror));
      judge(truth.ports.back(), truth);
    }
  }
  for (const netlink::Link* link : forwarding_links(guard, mirror)) {
    if (std::ranges::find(truth.ports, link->name, &PortLocks::interface) == truth.ports.end()) {
      truth.forwarding.push_back(link->name);
    }
  }
  if (!truth.forwarding.empty()) {
    problems.push_back(fmt::format("net.ipv4.conf forwarding is 1 at {}", fmt::join(truth.forwarding, ", ")));
  }
  truth.new_links_forward = new_links_forward(guard, mirror);
  if (truth.new_links_forward) {
    problems.emplace_back("net.ipv4.conf.default.forwarding is 1: new interfaces begin with it");
  }
  truth.ipv6_forwards = ipv6_forwards(guard);
  if (truth.ipv6_forwards) {
    problems.emplace_back("net.ipv6.conf.all.forwarding is 1");
  }
  return truth;
}

}  // namespace sekisho::guard
