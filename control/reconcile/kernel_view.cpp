// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/kernel_view.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "control/reach/host_stack.hpp"

namespace sekisho::reconcile {

auto KernelView::of(const policy::Policy& policy, const netlink::Mirror& mirror) const -> sync::View {
  return sync::view(policy.config, mirror, inherited_, hosts_.answered());
}

auto KernelView::look(const policy::Policy& policy, const std::string& failed_exit, Moment& moment)
    -> std::set<std::string> {
  hosts_.follow({policy.config, moment.mirror(), inherited_}, moment.now());
  hosts_are_full_ = hosts_are_full_ && hosts_.is_full();
  auto changed = port_links_.follow(policy.config, moment);
  show(policy, failed_exit, of(policy, moment.mirror()), moment);
  return changed;
}

void KernelView::show(const policy::Policy& policy, const std::string& failed_exit, sync::View view,
                      Moment& moment) {
  const auto before = std::exchange(now_, std::move(view));
  if (now_.exit && !failed_exit.empty()) {
    now_.exit->ready = false;
    now_.exit->why = failed_exit;
  }
  std::erase_if(inherited_, [this](const auto& entry) {
    return std::ranges::none_of(now_.members, [&](const reach::Member& member) {
      return member.inherited && entry.first == std::pair{member.port, member.address};
    });
  });
  report_members(policy, before.members, moment);
  report_exit(before.exit, moment);
}

auto KernelView::want(const ipc::Wanted& wanted, const policy::Policy& policy, Moment& moment) -> bool {
  const std::span destinations(wanted.destinations().data(),
                               static_cast<std::size_t>(wanted.destinations_size()));
  const auto outcome = hosts_.want(destinations, {policy.config, moment.mirror(), inherited_}, moment.now());
  if (outcome.full && !std::exchange(hosts_are_full_, true)) {
    moment.warn("{} hosts on the ports' subnets are followed: there is no room for another until one goes",
                reach::Hosts::most);
  }
  return outcome.more;
}

void KernelView::inherit(const ipc::State& state) {
  for (const auto& adjacency : state.adjacencies()) {
    base::MacAddress mac{};
    if (adjacency.alive() && adjacency.mac().size() == mac.size()) {
      std::ranges::copy(adjacency.mac(), reinterpret_cast<char*>(mac.data()));
      inherited_[{adjacency.key().port(), adjacency.key().address()}] = mac;
    }
  }
  for (const auto& each : state.next_hops()) {
    const auto& next_hop = each.next_hop();
    if (next_hop.members_size() == 1 && next_hop.name() == reach::host_name(next_hop.members(0).address())) {
      hosts_.inherit(next_hop.members(0).address());
    }
  }
}

auto KernelView::neighbours_of(const policy::Policy& policy, const netlink::Mirror& mirror) const
    -> std::vector<netlink::NeighbourKey> {
  std::map<std::string, int> links;
  for (const auto& port : policy.config.ports) {
    if (const netlink::Link* link = mirror.link_of(port)) {
      links[port.name] = link->index;
    }
  }
  std::vector<netlink::NeighbourKey> result;
  auto members = reach::members(policy.config, mirror);
  for (const auto address : hosts_.all()) {
    members.push_back(reach::member(address, policy.config, mirror));
  }
  for (const auto& member : members) {
    if (const auto link = links.find(member.port); link != links.end()) {
      result.emplace_back(link->second, member.address);
    }
  }
  if (const auto gateway = reach::exit_neighbour(policy.config, mirror)) {
    result.push_back(*gateway);
  }
  return result;
}

void KernelView::report_members(const policy::Policy& policy, const std::vector<reach::Member>& before,
                                Moment& moment) const {
  for (const auto& member : now_.members) {
    const auto old = std::ranges::find(before, member.address, &reach::Member::address);
    if (old != before.end() && old->alive == member.alive) {
      continue;
    }
    for (const auto& next_hop : policy.config.next_hops) {
      if (!std::ranges::binary_search(next_hop.members, member.address)) {
        continue;
      }
      if (member.alive) {
        moment.info("member {} {} is up on port {}", next_hop.name, base::address_to_string(member.address),
                    member.port);
      } else {
        moment.warn("member {} {} is down: {}", next_hop.name, base::address_to_string(member.address),
                    member.why);
      }
    }
  }
}

void KernelView::report_exit(const std::optional<reach::Exit>& before, Moment& moment) const {
  const auto& now = now_.exit;
  if (!now || (before && before->ready == now->ready && before->why == now->why)) {
    return;
  }
  if (now->ready) {
    moment.info("next hop Internet is up: by port {}, masqueraded as {}", now->port,
                base::address_to_string(*now->address));
  } else {
    moment.say(now->asking ? action::Level::debug : action::Level::warning, "next hop Internet is down: {}",
               now->why);
  }
}

}  // namespace sekisho::reconcile
