// The world as it is now, and what the kernel is to keep for us.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/netlink/wanted.hpp"
#include "control/reach/host_stack.hpp"
#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {
namespace {

std::vector<netlink::NeighbourKey> neighbours_to_keep(const policy::Policy& policy,
                                                      const netlink::Mirror& mirror,
                                                      const reach::Hosts& hosts) {
  std::map<std::string, int> links;
  for (const auto& port : policy.config.ports) {
    if (const netlink::Link* link = mirror.link_of(port)) {
      links[port.name] = link->index;
    }
  }
  std::vector<netlink::NeighbourKey> result;
  auto members = reach::members(policy.config, mirror);
  for (const auto address : hosts.all()) {
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

}  // namespace

// The guard follows at once; the rest when those who wait have had their turn.
void Daemon::on_kernel_changed() {
  guard();
  if (std::exchange(look_is_due_, true)) {
    return;
  }
  boost::asio::post(io_, [this] {
    look_is_due_ = false;
    look();
    advance();
  });
}

sync::View Daemon::view_of(const policy::Policy& policy) const {
  return sync::view(policy.config, netlink_->mirror(), inherited_, hosts_.answered());
}

void Daemon::look() {
  hosts_.follow({policy_->config, netlink_->mirror(), inherited_}, std::chrono::steady_clock::now());
  hosts_are_full_ = hosts_are_full_ && hosts_.is_full();
  const auto before = std::exchange(view_, view_of(*policy_));
  if (view_.exit && !failed_exit_.empty()) {
    view_.exit->ready = false;
    view_.exit->why = failed_exit_;
  }
  std::erase_if(inherited_, [this](const auto& entry) {
    return std::ranges::none_of(view_.members, [&](const reach::Member& member) {
      return member.inherited && entry.first == std::pair{member.port, member.address};
    });
  });
  report_links();
  report_members(before.members);
  report_exit(before.exit);
  keep();
}

// The policy that runs and those that are to come: what those need is there before traffic moves to it.
void Daemon::keep() {
  std::vector<netlink::NeighbourKey> neighbours;
  netlink::Wanted wanted;
  const auto& mirror = netlink_->mirror();
  const auto ask = [&](const policy::Policy& policy) {
    const auto more = neighbours_to_keep(policy, mirror, hosts_);
    neighbours.insert(neighbours.end(), more.begin(), more.end());
  };
  const auto add = [&](const policy::Policy& policy) {
    ask(policy);
    wanted.merge(reach::host_stack(policy.config, mirror));
  };
  add(*policy_);
  if (sending_) {
    add(*sending_);
  }
  for (const auto& step : steps_) {
    if (step.rehearsed) {
      ask(*step.policy);
    } else if (step.policy) {
      add(*step.policy);
    }
  }
  std::ranges::sort(neighbours);
  neighbours.erase(std::ranges::unique(neighbours).begin(), neighbours.end());
  netlink_->keep_resolved(neighbours);
  netlink_->keep(wanted);
}

void Daemon::report_exit(const std::optional<reach::Exit>& before) const {
  const auto& now = view_.exit;
  if (!now || (before && before->ready == now->ready && before->why == now->why)) {
    return;
  }
  if (now->ready) {
    spdlog::info("next hop Internet is up: by port {}, masqueraded as {}", now->port,
                 base::address_to_string(*now->address));
  } else {
    spdlog::log(now->asking ? spdlog::level::debug : spdlog::level::warn, "next hop Internet is down: {}",
                now->why);
  }
}

void Daemon::report_members(const std::vector<reach::Member>& before) const {
  for (const auto& member : view_.members) {
    const auto old = std::ranges::find(before, member.address, &reach::Member::address);
    if (old != before.end() && old->alive == member.alive) {
      continue;
    }
    for (const auto& next_hop : policy_->config.next_hops) {
      if (!std::ranges::binary_search(next_hop.members, member.address)) {
        continue;
      }
      if (member.alive) {
        spdlog::info("member {} {} is up on port {}", next_hop.name, base::address_to_string(member.address),
                     member.port);
      } else {
        spdlog::warn("member {} {} is down: {}", next_hop.name, base::address_to_string(member.address),
                     member.why);
      }
    }
  }
}

void Daemon::report_links() {
  for (const auto& port : port_links_.follow(policy_->config, netlink_->mirror())) {
    if (failed_ports_.contains(port)) {
      told_.reset();  // the next transaction starts the port, and is a full one
    }
  }
}

}  // namespace sekisho::reconcile
