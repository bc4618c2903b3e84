// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/kernel_view.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "control/reach/host_stack.hpp"

namespace sekisho::reconcile {

auto KernelView::of(const policy::Policy& policy, const netlink::Mirror& mirror) const -> sync::View {
  auto view = sync::view(policy.config, mirror, inherited_, hosts_.answered());
  liveness_.judge(view.members, policy.config);
  view.drained = drained_;
  return view;
}

auto KernelView::look(const policy::Policy& policy, const std::vector<const policy::Policy*>& coming,
                      const std::string& failed_exit, Moment& moment) -> std::set<std::string> {
  follow_members(policy, coming, moment);
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
  report_members(policy, moment);
  report_exit(before.exit, moment);
}

// Where two policies probe a member in different ways, the one that runs counts until it is replaced.
void KernelView::follow_members(const policy::Policy& policy,
                                const std::vector<const policy::Policy*>& coming, Moment& moment) {
  std::vector<reach::Liveness::Followed> followed;
  std::vector<reach::Liveness::Group> groups;
  std::set<std::uint32_t> named;
  orders_.clear();
  const auto add = [&](const policy::Policy& each) {
    auto members = reach::members(each.config, moment.mirror(), inherited_);
    std::erase_if(members, [&](const auto& member) { return !named.insert(member.address).second; });
    auto probing = reach::probing(members, each.config, moment.mirror());
    std::ranges::move(probing.orders, std::back_inserter(orders_));
    for (auto& member : members) {
      const auto* probe = reach::probe_of(member.address, each.config);
      followed.push_back({std::move(member), probe == nullptr ? std::nullopt : std::optional{*probe}});
    }
    for (const auto& [member, why] : probing.refused) {
      liveness_.hear(member, {reach::Sample::Result::unsent, {}, why}, moment.now());
    }
    for (const auto& next_hop : each.config.next_hops) {
      auto& group = groups.emplace_back(next_hop.members);
      std::erase_if(group, [&](std::uint32_t member) { return !sync::takes_flows(next_hop, member, now_); });
    }
  };
  add(policy);
  for (const auto* each : coming) {
    add(*each);
  }
  liveness_.follow(followed, groups, moment.now());
}

auto KernelView::hear(const event::Probed& probed, Moment& moment) -> bool {
  const bool changed = liveness_.hear(probed.member, probed.sample, moment.now());
  for (auto& member : now_.members) {
    if (member.address == probed.member) {
      liveness_.refresh(member);
    }
  }
  return changed;
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

void KernelView::inherit(const ipc::State& state, Time now) {
  for (const auto& adjacency : state.adjacencies()) {
    base::MacAddress mac{};
    if (adjacency.alive() && adjacency.mac().size() == mac.size()) {
      std::ranges::copy(adjacency.mac(), reinterpret_cast<char*>(mac.data()));
      inherited_[{adjacency.key().port(), adjacency.key().address()}] = mac;
    }
    liveness_.inherit(adjacency.key().address(), adjacency.alive(), now);
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

// A member that nobody knows anything of yet has no line.
void KernelView::report_members(const policy::Policy& policy, Moment& moment) {
  std::map<std::uint32_t, bool> now;
  for (const auto& next_hop : policy.config.next_hops) {
    for (const auto address : next_hop.members) {
      const auto member = std::ranges::find(now_.members, address, &reach::Member::address);
      const auto said = said_.find(address);
      const bool is_news = member != now_.members.end() && (member->since || !member->is_probed) &&
                           (said == said_.end() || said->second != member->alive);
      if (said != said_.end()) {
        now.insert(*said);
      }
      if (!is_news) {
        continue;
      }
      now.insert_or_assign(address, member->alive);
      if (member->alive) {
        moment.info("member {} {} is up on port {}", next_hop.name, base::address_to_string(address),
                    member->port);
      } else {
        moment.warn("member {} {} is down: {}", next_hop.name, base::address_to_string(address), member->why);
      }
    }
  }
  said_ = std::move(now);
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
