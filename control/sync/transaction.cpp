#include "control/sync/transaction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace sekisho::sync {
namespace {

constexpr int routes_per_change = 100'000;

using Key = std::pair<std::string, std::uint32_t>;  // port and address

void set_key(api::AdjacencyKey& key, const Key& from) {
  key.set_port(from.first);
  key.set_address(from.second);
}

void set_port(api::Port& port, const config::Port& config, const View::PortAddresses& addresses) {
  port.set_name(config.name);
  port.set_device(config.device);
  port.mutable_local()->Add(addresses.local.begin(), addresses.local.end());
  port.set_mtu(config.mtu);
  port.set_instance(addresses.instance);
  port.set_companion(config.companion);
}

// A companion is the dataplane's own: when that makes it anew, the port is no other.
std::string instance_of(const config::Port& port, const kernel::Mirror& mirror) {
  const auto netdev = port.netdev();
  const kernel::Link* link = port.is_af_xdp() ? mirror.link(*netdev) : nullptr;
  return link == nullptr ? std::string{} : fmt::format("{} {:02x}", link->index, fmt::join(link->mac, ":"));
}

// A member that no port leads to has no adjacency.
std::map<Key, const egress::Member*> adjacencies(const View& view) {
  std::map<Key, const egress::Member*> result;
  for (const auto& member : view.members) {
    if (!member.port.empty()) {
      result.emplace(Key{member.port, member.address}, &member);
    }
  }
  return result;
}

void set_adjacency(api::Adjacency& adjacency, const Key& key, const egress::Member& member) {
  set_key(*adjacency.mutable_key(), key);
  if (member.mac) {
    adjacency.set_mac(member.mac->data(), member.mac->size());
  }
  adjacency.set_alive(member.alive && member.mac);
}

std::vector<Key> members_of(const config::NextHop& next_hop, const View& view) {
  std::vector<Key> result;
  for (const auto& member : view.members) {
    if (!member.port.empty() &&
        std::ranges::find(next_hop.members, member.address) != next_hop.members.end()) {
      result.emplace_back(member.port, member.address);
    }
  }
  return result;
}

// With no member left it is still FORWARD: down, not a drop that somebody configured.
void set_next_hop(api::NextHop& next_hop, const std::string& name, const std::vector<Key>& members) {
  next_hop.set_name(name);
  next_hop.set_action(api::NextHop::FORWARD);
  for (const auto& key : members) {
    set_key(*next_hop.add_members(), key);
  }
}

void set_action(api::NextHop& next_hop, std::string_view name, api::NextHop::Action action) {
  next_hop.set_name(std::string(name));
  next_hop.set_action(action);
}

// One that is not ready is a next hop without a living member: what would take it is dropped as such.
void set_exit(api::NextHop& next_hop, const egress::Exit& exit) {
  set_action(next_hop, exit_next_hop, exit.ready ? api::NextHop::EXIT : api::NextHop::FORWARD);
}

std::string_view wire_name(const std::string& name) {
  if (name == policy::none) {
    return drop_next_hop;
  }
  return name == policy::leave ? exit_next_hop : name;
}

// Fills Changes with routes, each as full as it may be.
class RouteWriter {
 public:
  explicit RouteWriter(std::vector<api::Change>& changes) : changes_(changes) {}

  void zone(const std::string& name) {
    zone_ = name;
    routes_ = nullptr;
  }
  void add(fib::Prefix prefix, std::string_view next_hop) {
    if (routes_ == nullptr || count_ == routes_per_change) {
      open();
    }
    const auto [entry, is_new] =
        indexes_.try_emplace(std::string(next_hop), static_cast<std::uint32_t>(indexes_.size()));
    if (is_new) {
      routes_->add_next_hop_names(entry->first);
    }
    routes_->add_address(prefix.address);
    routes_->mutable_length()->push_back(static_cast<char>(prefix.length));
    routes_->add_next_hop(entry->second);
    ++count_;
  }

 private:
  void open() {
    if (count_ == routes_per_change) {
      changes_.emplace_back();
      count_ = 0;
    }
    routes_ = changes_.back().add_routes();
    routes_->set_zone(zone_);
    indexes_.clear();
  }

  std::vector<api::Change>& changes_;
  std::string zone_;
  api::Routes* routes_ = nullptr;
  std::unordered_map<std::string, std::uint32_t> indexes_;  // in routes_->next_hop_names
  int count_ = routes_per_change;                           // in the last change
};

bool is_own(fib::Prefix prefix, const View& view) {
  return prefix.length == 32 && std::ranges::binary_search(view.unicast, prefix.address);
}

// The policy's own route for exactly this address, which one of our addresses covered up.
std::optional<route::Route> exact(const policy::ZonePolicy& zone, std::uint32_t address) {
  const auto winner = zone.table.lookup(address);
  return winner && winner->prefix.length == 32 ? winner : std::nullopt;
}

void routes_incremental(const policy::Policy& policy, const View& before, const View& after,
                        api::Change& change) {
  std::vector<std::uint32_t> come;
  std::vector<std::uint32_t> gone;
  std::ranges::set_difference(after.unicast, before.unicast, std::back_inserter(come));
  std::ranges::set_difference(before.unicast, after.unicast, std::back_inserter(gone));
  if (come.empty() && gone.empty()) {
    return;
  }
  std::vector<api::Change> routes;
  RouteWriter writer(routes);
  for (const auto& zone : policy.zones) {
    writer.zone(zone.name);
    for (const auto address : come) {
      writer.add({address, 32}, host_next_hop);
    }
    api::Routes withdrawn;
    for (const auto address : gone) {
      if (const auto route = exact(zone, address)) {
        writer.add(route->prefix, wire_name(policy.names[route->next_hop]));
      } else {
        withdrawn.add_address(address);
        withdrawn.mutable_length()->push_back(char{32});
      }
    }
    if (withdrawn.address_size() != 0) {
      withdrawn.set_zone(zone.name);
      *change.add_withdraw() = std::move(withdrawn);
    }
  }
  for (const auto& piece : routes) {
    change.MergeFrom(piece);
  }
}

}  // namespace

auto view(const config::Config& config, const kernel::Mirror& mirror, const egress::Inherited& inherited)
    -> View {
  View view;
  view.members = egress::members(config, mirror, inherited);
  std::set<std::uint32_t> unicast;
  for (const auto& port : config.ports) {
    view.ports.push_back({port.name, instance_of(port, mirror), egress::local_addresses(port, mirror)});
    std::ranges::copy(egress::unicast_addresses(port, mirror), std::inserter(unicast, unicast.end()));
  }
  view.unicast.assign(unicast.begin(), unicast.end());
  view.exit = egress::exit(config, mirror);
  return view;
}

auto full(const policy::Policy& policy, const View& view) -> std::vector<api::Change> {
  std::vector<api::Change> changes(1);
  api::Change& first = changes.front();
  for (std::size_t i = 0; i < policy.config.ports.size(); ++i) {
    set_port(*first.add_ports(), policy.config.ports[i], view.ports[i]);
  }
  for (const auto& [key, member] : adjacencies(view)) {
    set_adjacency(*first.add_adjacencies(), key, *member);
  }
  set_action(*first.add_next_hops(), host_next_hop, api::NextHop::HOST);
  set_action(*first.add_next_hops(), drop_next_hop, api::NextHop::DROP);
  if (view.exit) {
    first.mutable_exit()->set_port(view.exit->port);
    set_exit(*first.add_next_hops(), *view.exit);
  }
  for (const auto& next_hop : policy.config.next_hops) {
    set_next_hop(*first.add_next_hops(), next_hop.name, members_of(next_hop, view));
  }
  for (const auto& zone : policy.zones) {
    api::Zone& message = *first.add_zones();
    message.set_name(zone.name);
    for (const auto& port : zone.ports) {
      message.add_ports(port);
    }
    for (const auto& source : zone.sources) {
      api::Prefix& prefix = *message.add_sources();
      prefix.set_address(source.address);
      prefix.set_length(source.length);
    }
  }
  RouteWriter writer(changes);
  for (const auto& zone : policy.zones) {
    writer.zone(zone.name);
    for (const auto address : view.unicast) {
      writer.add({address, 32}, host_next_hop);
    }
    for (const auto& route : zone.table.winners()) {
      if (!is_own(route.prefix, view)) {
        writer.add(route.prefix, wire_name(policy.names[route.next_hop]));
      }
    }
  }
  return changes;
}

auto incremental(const policy::Policy& policy, const View& before, const View& after)
    -> std::vector<api::Change> {
  api::Change change;
  for (std::size_t i = 0; i < policy.config.ports.size(); ++i) {
    if (before.ports[i] != after.ports[i]) {
      set_port(*change.add_ports(), policy.config.ports[i], after.ports[i]);
    }
  }
  const auto old_adjacencies = adjacencies(before);
  const auto new_adjacencies = adjacencies(after);
  for (const auto& [key, member] : new_adjacencies) {
    const auto old = old_adjacencies.find(key);
    if (old == old_adjacencies.end() || old->second->mac != member->mac ||
        old->second->alive != member->alive) {
      set_adjacency(*change.add_adjacencies(), key, *member);
    }
  }
  for (const auto& [key, member] : old_adjacencies) {
    if (!new_adjacencies.contains(key)) {
      set_key(*change.add_remove_adjacencies(), key);
    }
  }
  for (const auto& next_hop : policy.config.next_hops) {
    const auto members = members_of(next_hop, after);
    if (members != members_of(next_hop, before)) {
      set_next_hop(*change.add_next_hops(), next_hop.name, members);
    }
  }
  if (after.exit && (!before.exit || before.exit->ready != after.exit->ready)) {
    set_exit(*change.add_next_hops(), *after.exit);
  }
  routes_incremental(policy, before, after, change);
  if (change.ByteSizeLong() == 0) {
    return {};
  }
  return {std::move(change)};
}

}  // namespace sekisho::sync
