// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/objects.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/sync/host_sources.hpp"
#include "control/sync/icmp.hpp"

namespace sekisho::sync {
namespace {

using Key = std::pair<std::string, std::uint32_t>;  // port and address

void set_key(ipc::AdjacencyKey& key, const Key& from) {
  key.set_port(from.first);
  key.set_address(from.second);
}

void set_prefix(ipc::Prefix& message, base::Prefix prefix) {
  message.set_address(prefix.address);
  message.set_length(prefix.length);
}

void set_port(ipc::Port& port, const policy::Policy& policy, const config::Port& config,
              const View::PortAddresses& addresses) {
  port.set_name(config.name);
  port.set_device(addresses.device.empty() ? config.device : addresses.device);
  port.set_configured(config.device);
  port.set_device_mtu(addresses.mtu);
  port.set_address(addresses.primary);
  port.mutable_local()->Add(addresses.local.begin(), addresses.local.end());
  port.set_mtu(config.mtu);
  if (config.mss_clamp) {
    port.mutable_mss_clamp()->set_most(*config.mss_clamp);
  }
  port.set_instance(addresses.instance);
  port.set_companion(config.companion);
  for (const auto source : host_sources(policy, config, addresses)) {
    set_prefix(*port.add_host_sources(), source);
  }
}

// A member that no port leads to has no adjacency.
std::map<Key, const reach::Member*> adjacencies(const View& view) {
  std::map<Key, const reach::Member*> result;
  for (const auto& member : view.members) {
    if (!member.port.empty()) {
      result.emplace(Key{member.port, member.address}, &member);
    }
  }
  return result;
}

void set_adjacency(ipc::Adjacency& adjacency, const Key& key, const reach::Member& member) {
  set_key(*adjacency.mutable_key(), key);
  if (member.mac) {
    adjacency.set_mac(member.mac->data(), member.mac->size());
  }
  adjacency.set_alive(member.alive && member.mac);
}

// All that are configured, also those that no port leads to: the others' flows do not depend on who can be reached. With no
// member left it is still FORWARD: down, not a drop that somebody configured.
void set_next_hop(ipc::NextHop& message, const config::NextHop& next_hop, const View& view) {
  message.set_name(next_hop.name);
  message.set_action(ipc::NextHop::FORWARD);
  message.set_hash(next_hop.hash == config::Hash::addresses ? ipc::NextHop::ADDRESSES
                                                            : ipc::NextHop::FIVE_TUPLE);
  for (const auto address : next_hop.members) {
    const auto known = std::ranges::find(view.members, address, &reach::Member::address);
    auto& member = *message.add_members();
    member.set_port(known == view.members.end() ? std::string{} : known->port);
    member.set_address(address);
    member.set_weight(std::max(next_hop.weight_of(address), 1U));
    member.set_drained(!takes_flows(next_hop, address, view));
  }
}

void set_host(ipc::NextHop& message, const View::Host& host) {
  message.set_name(host.next_hop);
  message.set_action(ipc::NextHop::FORWARD);
  auto& member = *message.add_members();
  member.set_port(host.port);
  member.set_address(host.address);
  member.set_weight(1);
}

void set_action(ipc::NextHop& next_hop, std::string_view name, ipc::NextHop::Action action) {
  next_hop.set_name(std::string(name));
  next_hop.set_action(action);
}

// One that is not ready is a next hop without a living member: what would take it is dropped as such.
void set_exit(ipc::NextHop& next_hop, const reach::Exit& exit) {
  set_action(next_hop, exit_next_hop, exit.ready ? ipc::NextHop::EXIT : ipc::NextHop::FORWARD);
}

template <class Message>
using ByName = std::map<std::string_view, const Message*>;

template <class Message>
ByName<Message> by_name(const google::protobuf::RepeatedPtrField<Message>& messages) {
  ByName<Message> result;
  for (const auto& message : messages) {
    result.emplace(message.name(), &message);
  }
  return result;
}

std::map<Key, const ipc::Adjacency*> by_key(
    const google::protobuf::RepeatedPtrField<ipc::Adjacency>& adjacencies) {
  std::map<Key, const ipc::Adjacency*> result;
  for (const auto& adjacency : adjacencies) {
    result.emplace(Key{adjacency.key().port(), adjacency.key().address()}, &adjacency);
  }
  return result;
}

// Neither has a map, in whose order equal messages could differ.
bool equal(const google::protobuf::MessageLite& a, const google::protobuf::MessageLite& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// `put` what is new or another, `remove` the key of what is gone.
template <class Map>
void compare(const Map& before, const Map& after, auto put, auto remove) {
  for (const auto& [key, message] : after) {
    const auto old = before.find(key);
    if (old == before.end() || !equal(*old->second, *message)) {
      put(*message);
    }
  }
  for (const auto& [key, message] : before) {
    if (!after.contains(key)) {
      remove(key);
    }
  }
}

ipc::IpOptions::Handling to_message(config::OptionHandling handling) {
  switch (handling) {
    case config::OptionHandling::ignore:
      return ipc::IpOptions::IGNORE;
    case config::OptionHandling::drop:
      return ipc::IpOptions::REFUSE;
    case config::OptionHandling::fill:
      break;
  }
  return ipc::IpOptions::FILL;
}

ipc::IpOptions options_message(const config::IpOptions& options) {
  ipc::IpOptions message;
  message.set_source_routes_pass(options.source_routes_pass);
  message.set_record_route(to_message(options.record_route));
  message.set_timestamp(to_message(options.timestamp));
  return message;
}

}  // namespace

auto objects(const policy::Policy& policy, const View& view) -> ipc::Change {
  ipc::Change result;
  for (std::size_t i = 0; i < policy.config.ports.size(); ++i) {
    set_port(*result.add_ports(), policy, policy.config.ports[i], view.ports[i]);
  }
  for (const auto& [key, member] : adjacencies(view)) {
    set_adjacency(*result.add_adjacencies(), key, *member);
  }
  *result.mutable_icmp() = icmp_message(icmp_policy(policy));
  *result.mutable_ip_options() = options_message(policy.config.ip_options);
  set_action(*result.add_next_hops(), host_next_hop, ipc::NextHop::HOST);
  set_action(*result.add_next_hops(), drop_next_hop, ipc::NextHop::DROP);
  if (view.exit) {
    result.mutable_exit()->set_port(view.exit->port);
    set_exit(*result.add_next_hops(), *view.exit);
  }
  if (std::ranges::any_of(policy.zones, &policy::ZonePolicy::connected)) {
    set_action(*result.add_next_hops(), connected_next_hop, ipc::NextHop::CONNECTED);
  }
  for (const auto& host : view.hosts) {
    set_host(*result.add_next_hops(), host);
  }
  for (const auto& next_hop : policy.config.next_hops) {
    set_next_hop(*result.add_next_hops(), next_hop, view);
  }
  for (const auto& zone : policy.zones) {
    ipc::Zone& message = *result.add_zones();
    message.set_name(zone.name);
    for (const auto& port : zone.ports) {
      message.add_ports(port);
    }
    for (const auto& source : zone.sources) {
      set_prefix(*message.add_sources(), source);
    }
  }
  return result;
}

auto object_difference(const ipc::Change& before, const ipc::Change& after) -> ipc::Change {
  ipc::Change change;
  compare(
      by_name(before.ports()), by_name(after.ports()), [&](const auto& port) { *change.add_ports() = port; },
      [&](const auto& name) { change.add_remove_ports(std::string(name)); });
  compare(
      by_key(before.adjacencies()), by_key(after.adjacencies()),
      [&](const auto& adjacency) { *change.add_adjacencies() = adjacency; },
      [&](const auto& key) { set_key(*change.add_remove_adjacencies(), key); });
  compare(
      by_name(before.next_hops()), by_name(after.next_hops()),
      [&](const auto& next_hop) { *change.add_next_hops() = next_hop; },
      [&](const auto& name) { change.add_remove_next_hops(std::string(name)); });
  compare(
      by_name(before.zones()), by_name(after.zones()), [&](const auto& zone) { *change.add_zones() = zone; },
      [&](const auto& name) { change.add_remove_zones(std::string(name)); });
  if (!equal(before.icmp(), after.icmp())) {
    *change.mutable_icmp() = after.icmp();
  }
  if (!equal(before.ip_options(), after.ip_options())) {
    *change.mutable_ip_options() = after.ip_options();
  }
  if (after.has_exit() && !(before.has_exit() && equal(before.exit(), after.exit()))) {
    *change.mutable_exit() = after.exit();
  }
  change.set_remove_exit(before.has_exit() && !after.has_exit());
  return change;
}

}  // namespace sekisho::sync
