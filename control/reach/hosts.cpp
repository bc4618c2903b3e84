// SPDX-License-Identifier: BSD-3-Clause
#include "control/reach/hosts.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace sekisho::reach {
namespace {

bool is_ours(std::uint32_t address, const Hosts::World& world) {
  return std::ranges::any_of(world.config.ports, [&](const config::Port& port) {
    const auto& own = port_addresses(port, world.mirror);
    return std::ranges::find(own, address, &config::InterfaceAddress::address) != own.end();
  });
}

// Nothing resolves where the kernel has no interface, and none that is down.
bool can_be_asked(const Member& member, const Hosts::World& world) {
  const auto port = std::ranges::find(world.config.ports, member.port, &config::Port::name);
  const netlink::Link* link = port == world.config.ports.end() ? nullptr : world.mirror.link_of(*port);
  return link != nullptr && link->up;
}

Member judge(std::uint32_t address, const Hosts::World& world) {
  return member(address, world.config, world.mirror, world.inherited);
}

}  // namespace

bool Hosts::knows(std::uint32_t address) const {
  return answered_.contains(address) || std::ranges::find(asked_, address, &Asked::address) != asked_.end();
}

auto Hosts::ask(std::uint32_t address, Time now) -> bool {
  if (asked_.size() == most_asked) {
    if (now - asked_.front().since < patience) {
      return false;  // its next packet asks again
    }
    asked_.pop_front();
  }
  asked_.push_back({address, now});
  return true;
}

auto Hosts::want(std::span<const std::uint32_t> destinations, const World& world, Time now) -> Outcome {
  Outcome outcome;
  const auto subnets = connected(world.config, world.mirror);
  for (const auto address : destinations) {
    if (!has_host(subnets, address) || knows(address) || is_ours(address, world)) {
      continue;
    }
    const auto member = judge(address, world);
    if (!member.alive && !can_be_asked(member, world)) {
      continue;
    }
    if (is_full()) {
      outcome.full = true;
    } else if (member.alive) {
      outcome.more = answered_.insert(address).second || outcome.more;
    } else {
      outcome.more = ask(address, now) || outcome.more;
    }
  }
  return outcome;
}

void Hosts::follow(const World& world, Time now) {
  const auto subnets = connected(world.config, world.mirror);
  std::erase_if(answered_, [&](std::uint32_t address) {
    return !has_host(subnets, address) || !judge(address, world).alive;
  });
  std::erase_if(asked_, [&](const Asked& asked) {
    if (!has_host(subnets, asked.address)) {
      return true;
    }
    const auto member = judge(asked.address, world);
    if (member.alive) {
      answered_.insert(asked.address);
    }
    // FAILED may be the kernel's answer to an earlier question, until it had the time for this one.
    return member.alive || (!member.asking && now - asked.since >= patience);
  });
}

auto Hosts::all() const -> std::set<std::uint32_t> {
  auto result = answered_;
  std::ranges::transform(asked_, std::inserter(result, result.end()), &Asked::address);
  return result;
}

}  // namespace sekisho::reach
