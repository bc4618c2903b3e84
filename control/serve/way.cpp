// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/way.hpp"

#include <algorithm>
#include <limits>

#include "control/serve/zone_of.hpp"
#include "control/sync/host_sources.hpp"
#include "control/sync/icmp.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane/decide/member.hpp"

namespace sekisho::serve {
namespace {

constexpr auto any_mtu = std::numeric_limits<std::uint16_t>::max();

// The last ones asked for are kept: an explanation asks several times, and 64 members' take 40 ms.
const decide::Preferences& preferences_of(const std::vector<decide::Member>& members) {
  thread_local std::optional<decide::Preferences> last;
  if (!last || last->members() != members) {
    last.emplace(members);
  }
  return *last;
}

}  // namespace

PolicyWorld::PolicyWorld(const policy::Policy& policy, const World& world, const config::Port* port)
    : policy_{policy}, world_{world}, port_{port}, icmp_{sync::icmp_policy(policy)} {
  if (port == nullptr) {
    return;
  }
  host_.steered = port->is_af_xdp();
  host_.companion = port->has_netdev() && !port->is_af_xdp();
  host_.address = ~std::uint32_t{0};  // as long as nobody has said that it has none
  if (world.mirror != nullptr) {
    host_.local = reach::local_addresses(*port, *world.mirror);
    std::ranges::sort(host_.local);
    const auto& addresses = reach::port_addresses(*port, *world.mirror);
    host_.address = addresses.empty() ? 0 : addresses.front().address;
  }
  if (world.view != nullptr) {
    host_.sources =
        std::make_shared<const decide::HostSources>(sync::known_sources(policy, *world.view, *port));
  }
}

const config::Port* PolicyWorld::owner_of(std::uint32_t address) const {
  if (world_.mirror == nullptr) {
    return nullptr;
  }
  // An address on lo is every port's: that by which it comes in goes first.
  if (port_ != nullptr && std::ranges::binary_search(host_.local, address)) {
    return port_;
  }
  for (const auto& port : policy_.config.ports) {
    const auto local = reach::local_addresses(port, *world_.mirror);
    if (std::ranges::find(local, address) != local.end()) {
      return &port;
    }
  }
  return nullptr;
}

decide::Source<PolicyWorld::Zone> PolicyWorld::source(std::uint32_t address) const {
  if (owner_of(address) != nullptr) {
    return {.zone = std::nullopt, .own = true};
  }
  const auto match = zone_of(policy_, address);
  return {.zone = match ? std::optional{match->zone} : std::nullopt, .own = false};
}

bool PolicyWorld::carries(Zone zone) const {
  return port_ == nullptr ? !zone->ports.empty()
                          : std::ranges::find(zone->ports, port_->name) != zone->ports.end();
}

decide::WaysToKernel PolicyWorld::ways() const {
  const auto has_companion = [](const config::Port& port) { return port.has_netdev() && !port.is_af_xdp(); };
  const auto* const link =
      world_.mirror == nullptr ? nullptr : world_.mirror->link(std::string{config::exit_netdev});
  const bool has_exit = world_.mirror == nullptr || (link != nullptr && link->up);
  return {.companion =
              port_ != nullptr ? host_.companion : std::ranges::any_of(policy_.config.ports, has_companion),
          .exit_mtu = has_exit ? any_mtu : std::uint16_t{0}};
}

Way PolicyWorld::next_hop(Zone zone, std::uint32_t destination) const {
  Way way;
  way.covering = zone->table.covering(destination);
  if (world_.view != nullptr) {
    way.kernel = sync::kernel_routes(*zone, *world_.view);
    std::erase_if(way.kernel, [&](const sync::KernelRoute& route) {
      return route.kind == sync::KernelRoute::Kind::own || !route.prefix.covers(destination);
    });
    std::ranges::reverse(way.kernel);
  }
  if (owner_of(destination) != nullptr) {
    way.next_hop = sync::host_next_hop;
    way.action = decide::Action::host;
  } else if (!way.kernel.empty() && goes_before(way.kernel.front(), way.covering, 0)) {
    const auto& route = way.kernel.front();
    way.by_kernel = true;
    way.next_hop = policy_name(std::string{route.next_hop});
    switch (route.kind) {
      case sync::KernelRoute::Kind::connected:
        way.action = decide::Action::connected;
        break;
      case sync::KernelRoute::Kind::edge:
        way.action = decide::Action::drop;
        break;
      default:
        way.action = decide::Action::forward;
        way.members = {{destination}};
        way.living = 1;
    }
  } else if (!way.covering.empty()) {
    lead_to(way, policy_.names[way.covering.front().next_hop]);
  }
  return way;
}

void PolicyWorld::lead_to(Way& way, const std::string& name) const {
  using decide::Action;
  way.next_hop = name;
  if (name == policy::none) {
    way.action = Action::drop;
    return;
  }
  if (name == policy::leave) {
    const bool ready = world_.view == nullptr || !world_.view->exit || world_.view->exit->ready;
    way.action = ready ? Action::exit : Action::group_down;
    return;
  }
  const auto next_hop = std::ranges::find(policy_.config.next_hops, name, &config::NextHop::name);
  if (next_hop != policy_.config.next_hops.end()) {
    for (const auto address : next_hop->members) {
      const auto bit = decide::MemberMask{1} << way.members.size();
      way.living |= lives(*next_hop, address) ? bit : 0;
      way.members.push_back({address, static_cast<std::uint8_t>(next_hop->weight_of(address))});
    }
    way.hash_by =
        next_hop->hash == config::Hash::addresses ? packet::HashBy::addresses : packet::HashBy::five_tuple;
  }
  way.action = way.living == 0 && world_.view != nullptr ? Action::group_down : Action::forward;
}

bool PolicyWorld::lives(const config::NextHop& next_hop, std::uint32_t address) const {
  if (world_.view == nullptr) {
    return next_hop.weight_of(address) != 0;
  }
  const auto& members = world_.view->members;
  const auto member = std::ranges::find(members, address, &reach::Member::address);
  return member != members.end() && member->alive && sync::takes_flows(next_hop, address, *world_.view);
}

PolicyWorld::Member PolicyWorld::member(const Way& way, const packet::Flow& flow) const {
  if (way.living == 0) {
    return {.action = way.action, .address = std::nullopt};
  }
  const auto& preferences = preferences_of(way.members);
  const auto bucket = preferences.bucket_of(packet::flow_hash(flow, way.hash_by));
  return {.action = way.action, .address = way.members[preferences.choose(bucket, way.living)].address};
}

decide::Egress PolicyWorld::egress(const Member& member) const {
  return {.action = member.action, .runs = true, .mtu = any_mtu};
}

bool goes_before(const sync::KernelRoute& route, const std::vector<route::Route>& covering,
                 std::size_t index) {
  return index >= covering.size() || route.prefix.length >= covering[index].prefix.length;
}

}  // namespace sekisho::serve
