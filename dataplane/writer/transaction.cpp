// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/transaction.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

#include "common/base/prefix.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho::writer {
namespace {

using Result = Transaction::Result;

// RFC 791: every internet module must be able to forward a datagram of 68 octets without further
// fragmentation.
constexpr std::uint32_t min_mtu = 68;
constexpr std::uint32_t largest_mtu = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t largest_mss = largest_mtu - packet::mss_overhead;
// 0 is no_route.
constexpr std::size_t next_hop_limit = nexthop::max_next_hops - 1;
constexpr std::size_t adjacency_limit = nexthop::max_adjacencies - nexthop::first_adjacency;

template <class... Args>
auto refuse(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(fmt::format(format, std::forward<Args>(args)...));
}

auto check_name(std::string_view kind, const std::string& name) -> Result {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (name.empty() || name.size() > 31 || !std::ranges::all_of(name, allowed)) {
    return refuse("{} \"{}\": a name is 1 to 31 of a-z, 0-9 and -", kind, name.substr(0, 64));
  }
  return {};
}

auto check_prefix(base::Prefix prefix, std::uint32_t length) -> Result {
  if (length > 32) {
    return refuse("{}/{} is longer than 32 bits", base::address_to_string(prefix.address), length);
  }
  if ((prefix.address & ~prefix.mask()) != 0) {
    return refuse("{} has host bits", base::to_string(prefix));
  }
  return {};
}

base::Prefix make_prefix(std::uint32_t address, std::uint32_t length) {
  return {address, static_cast<std::uint8_t>(std::min<std::uint32_t>(length, 32))};
}

std::string describe(const AdjacencyId& id) {
  return fmt::format("{} on port {}", base::address_to_string(id.address), id.port);
}

auto id_of(const ipc::AdjacencyKey& key) -> AdjacencyId {
  return {key.port(), key.address()};
}

// Up to the first refusal.
auto each(const auto& objects, auto add) -> Result {
  for (const auto& object : objects) {
    if (auto done = add(object); !done) {
      return done;
    }
  }
  return {};
}

template <class T>
const T* repeated(const std::vector<T>& sorted) {
  const auto found = std::ranges::adjacent_find(sorted);
  return found == sorted.end() ? nullptr : &*found;
}

// A later change of the same prefix wins.
void sort_last_wins(std::vector<NamedRoute>& routes) {
  if (!std::ranges::is_sorted(routes, {}, &NamedRoute::prefix)) {
    std::ranges::stable_sort(routes, {}, &NamedRoute::prefix);
  }
  auto out = routes.begin();
  for (auto it = routes.begin(); it != routes.end(); ++it) {
    if (std::next(it) == routes.end() || std::next(it)->prefix != it->prefix) {
      *out++ = *it;
    }
  }
  routes.erase(out, routes.end());
}

}  // namespace

Transaction::Transaction(bool full, const Configuration& running) : full_{full}, running_{running} {
  if (!full) {
    target_.configuration = running;
  }
  target_.next_hop_names.emplace_back();
}

auto Transaction::add(const ipc::Change& change) -> Result {
  return remove(change)
      .and_then([&] { return add_exit(change); })
      .and_then([&] { return add_icmp(change); })
      .and_then([&] { return add_options(change); })
      .and_then([&] { return each(change.ports(), [&](const ipc::Port& port) { return add_port(port); }); })
      .and_then([&] {
        return each(change.adjacencies(), [&](const ipc::Adjacency& a) { return add_adjacency(a); });
      })
      .and_then(
          [&] { return each(change.next_hops(), [&](const ipc::NextHop& n) { return add_next_hop(n); }); })
      .and_then([&] { return each(change.zones(), [&](const ipc::Zone& zone) { return add_zone(zone); }); })
      .and_then(
          [&] { return each(change.routes(), [&](const ipc::Routes& r) { return add_routes(r, false); }); });
}

auto Transaction::remove(const ipc::Change& change) -> Result {
  const bool removes = change.remove_ports_size() + change.remove_next_hops_size() +
                               change.remove_adjacencies_size() + change.remove_zones_size() +
                               change.withdraw_size() >
                           0 ||
                       change.remove_exit();
  if (full_ && removes) {
    return refuse("a full transaction names all that exists: removing belongs to an incremental one");
  }
  auto& wanted = target_.configuration;
  if (change.remove_exit() && !std::exchange(wanted.exit, std::nullopt)) {
    return refuse("the exit cannot be removed: there is none");
  }
  for (const auto& name : change.remove_ports()) {
    if (wanted.ports.erase(name) == 0) {
      return refuse("port {} cannot be removed: it is not among the ports", name);
    }
  }
  for (const auto& name : change.remove_next_hops()) {
    if (wanted.next_hops.erase(name) == 0) {
      return refuse("next hop {} cannot be removed: it is not among the next hops", name);
    }
  }
  for (const auto& key : change.remove_adjacencies()) {
    if (wanted.adjacencies.erase(id_of(key)) == 0) {
      return refuse("adjacency {} cannot be removed: it is not among the adjacencies", describe(id_of(key)));
    }
  }
  for (const auto& name : change.remove_zones()) {
    if (wanted.zones.erase(name) == 0) {
      return refuse("zone {} cannot be removed: it is not among the zones", name);
    }
    // Its table goes with it: named again, it starts empty.
    target_.tables[name] = {.replace = true, .routes = {}};
  }
  return each(change.withdraw(), [&](const ipc::Routes& routes) { return add_routes(routes, true); });
}

auto Transaction::add_exit(const ipc::Change& change) -> Result {
  if (change.has_exit()) {
    target_.configuration.exit = change.exit().port();
  }
  return {};
}

auto Transaction::add_port(const ipc::Port& port) -> Result {
  if (auto named = check_name("port", port.name()); !named) {
    return named;
  }
  if (!named_ports_.insert(port.name()).second) {
    return refuse("port {} is named twice", port.name());
  }
  if (port.device().empty()) {
    return refuse("port {}: its device is not named", port.name());
  }
  if (port.mtu() != 0 && (port.mtu() < min_mtu || port.mtu() > largest_mtu)) {
    return refuse("port {}: an MTU of {} is not among 68..65535", port.name(), port.mtu());
  }
  if (port.companion().size() >= IFNAMSIZ ||
      port.companion().find_first_of("/ \t\n:%") != std::string::npos) {
    return refuse(
        "port {}: its companion \"{}\" is not a name that the kernel takes for an interface: at most 15 "
        "characters, "
        "without `/`, `:`, `%` and blanks",
        port.name(), port.companion().substr(0, 64));
  }
  port::PortConfig config{.name = port.name(),
                          .device = port.device(),
                          .local = {port.local().begin(), port.local().end()},
                          .host_sources = {},
                          .mtu = static_cast<std::uint16_t>(port.mtu()),
                          .instance = port.instance(),
                          .companion = port.companion(),
                          .device_mtu = static_cast<std::uint16_t>(std::min(port.device_mtu(), largest_mtu)),
                          .configured = port.configured(),
                          .address = port.address(),
                          .mss_clamp = std::nullopt};
  if (port.has_mss_clamp()) {
    const auto most = port.mss_clamp().most();
    if (most > largest_mss) {
      return refuse("port {}: segments of {} bytes fit into no packet: at most {}", port.name(), most,
                    largest_mss);
    }
    config.mss_clamp = static_cast<std::uint16_t>(most);
  }
  std::ranges::sort(config.local);
  const auto same = std::ranges::unique(config.local);
  config.local.erase(same.begin(), same.end());
  for (const auto& source : port.host_sources()) {
    const auto prefix = make_prefix(source.address(), source.length());
    if (auto valid = check_prefix(prefix, source.length()); !valid) {
      return refuse("port {}: source {}", port.name(), valid.error());
    }
    config.host_sources.push_back(prefix);
  }
  std::ranges::sort(config.host_sources);
  const auto again = std::ranges::unique(config.host_sources);
  config.host_sources.erase(again.begin(), again.end());
  target_.configuration.ports[port.name()] = std::move(config);
  if (target_.configuration.ports.size() > forward::max_ports) {
    return refuse("port {}: there can be {} ports at most", port.name(), forward::max_ports);
  }
  return {};
}

auto Transaction::add_adjacency(const ipc::Adjacency& adjacency) -> Result {
  auto id = id_of(adjacency.key());
  if (auto named = check_name("port", id.port); !named) {
    return named;
  }
  if (!named_adjacencies_.insert(id).second) {
    return refuse("adjacency {} is named twice", describe(id));
  }
  AdjacencySpec spec{.mac = {}, .alive = adjacency.alive()};
  if (!adjacency.mac().empty()) {
    if (adjacency.mac().size() != 6) {
      return refuse("adjacency {}: a MAC address is 6 bytes, not {}", describe(id), adjacency.mac().size());
    }
    std::ranges::copy(adjacency.mac(), spec.mac.emplace().begin());
  } else if (spec.alive) {
    return refuse("adjacency {}: it cannot be alive without a MAC address", describe(id));
  }
  target_.configuration.adjacencies[id] = spec;
  if (target_.configuration.adjacencies.size() > adjacency_limit) {
    return refuse("adjacency {}: there can be {} adjacencies at most", describe(id), adjacency_limit);
  }
  return {};
}

auto Transaction::add_next_hop(const ipc::NextHop& next_hop) -> Result {
  const auto& name = next_hop.name();
  if (auto named = check_name("next hop", name); !named) {
    return named;
  }
  if (!named_next_hops_.insert(name).second) {
    return refuse("next hop {} is named twice", name);
  }
  NextHopSpec spec;
  switch (next_hop.action()) {
    case ipc::NextHop::FORWARD:
      spec.action = decide::Action::forward;
      break;
    case ipc::NextHop::DROP:
      spec.action = decide::Action::drop;
      break;
    case ipc::NextHop::HOST:
      spec.action = decide::Action::host;
      break;
    case ipc::NextHop::EXIT:
      spec.action = decide::Action::exit;
      break;
    case ipc::NextHop::CONNECTED:
      spec.action = decide::Action::connected;
      break;
    default:
      return refuse("next hop {}: action {} is unknown", name, static_cast<int>(next_hop.action()));
  }
  if (spec.action != decide::Action::forward && !next_hop.members().empty()) {
    return refuse("next hop {}: only one that forwards has members", name);
  }
  if (next_hop.members_size() > static_cast<int>(max_members)) {
    return refuse("next hop {}: {} members are more than {}", name, next_hop.members_size(), max_members);
  }
  for (const auto& member : next_hop.members()) {
    if (member.weight() > decide::max_weight) {
      return refuse("next hop {}: weight {} is more than {}", name, member.weight(), decide::max_weight);
    }
    spec.members.push_back({.id = {member.port(), member.address()},
                            .weight = static_cast<std::uint8_t>(std::max(member.weight(), 1U)),
                            .drained = member.drained()});
  }
  std::ranges::sort(spec.members);
  const auto twice = std::ranges::adjacent_find(spec.members, {}, &MemberSpec::id);
  if (twice != spec.members.end()) {
    return refuse("next hop {}: member {} is named twice", name, describe(twice->id));
  }
  spec.hash_by =
      next_hop.hash() == ipc::NextHop::ADDRESSES ? packet::HashBy::addresses : packet::HashBy::five_tuple;
  target_.configuration.next_hops[name] = std::move(spec);
  if (target_.configuration.next_hops.size() > next_hop_limit) {
    return refuse("next hop {}: there can be {} next hops at most", name, next_hop_limit);
  }
  return {};
}

auto Transaction::add_zone(const ipc::Zone& zone) -> Result {
  if (auto named = check_name("zone", zone.name()); !named) {
    return named;
  }
  if (!named_zones_.insert(zone.name()).second) {
    return refuse("zone {} is named twice", zone.name());
  }
  ZoneSpec spec;
  spec.ports.assign(zone.ports().begin(), zone.ports().end());
  std::ranges::sort(spec.ports);
  if (const auto* twice = repeated(spec.ports)) {
    return refuse("zone {}: port {} is named twice", zone.name(), *twice);
  }
  spec.sources.reserve(zone.sources_size());
  for (const auto& source : zone.sources()) {
    const auto prefix = make_prefix(source.address(), source.length());
    if (auto valid = check_prefix(prefix, source.length()); !valid) {
      return refuse("zone {}: source {}", zone.name(), valid.error());
    }
    spec.sources.push_back(prefix);
  }
  std::ranges::sort(spec.sources);
  if (const auto* twice = repeated(spec.sources)) {
    return refuse("zone {}: source {} is named twice", zone.name(), base::to_string(*twice));
  }
  target_.configuration.zones[zone.name()] = std::move(spec);
  if (target_.configuration.zones.size() > forward::max_zones) {
    return refuse("zone {}: there can be {} zones at most", zone.name(), forward::max_zones);
  }
  return {};
}

auto Transaction::intern(const std::string& next_hop) -> NameIndex {
  const auto [it, added] = names_.try_emplace(next_hop, NameIndex(target_.next_hop_names.size()));
  if (added) {
    target_.next_hop_names.push_back(next_hop);
  }
  return it->second;
}

auto Transaction::add_routes(const ipc::Routes& routes, bool withdrawn) -> Result {
  const auto& zone = routes.zone();
  if (auto named = check_name("zone", zone); !named) {
    return named;
  }
  const auto count = static_cast<std::size_t>(routes.address_size());
  const auto next_hops = static_cast<std::size_t>(routes.next_hop_size());
  if (withdrawn && (next_hops != 0 || routes.next_hop_names_size() != 0)) {
    return refuse("zone {}: withdrawn routes have no next hops", zone);
  }
  if (routes.length().size() != count || (!withdrawn && next_hops != count)) {
    return refuse("zone {}: {} addresses, {} lengths and {} next hops are not as many", zone, count,
                  routes.length().size(), next_hops);
  }
  if (routes_ += count; routes_ > max_routes) {
    return refuse("zone {}: a transaction carries {} routes at most", zone, max_routes);
  }

  std::vector<NameIndex> index(routes.next_hop_names_size(), withdraw);
  auto& table = target_.tables[zone].routes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto length = static_cast<std::uint8_t>(routes.length()[i]);
    const auto prefix = make_prefix(routes.address(static_cast<int>(i)), length);
    if (auto valid = check_prefix(prefix, length); !valid) {
      return refuse("zone {}: route {}", zone, valid.error());
    }
    auto next_hop = withdraw;
    if (!withdrawn) {
      const auto position = routes.next_hop(static_cast<int>(i));
      if (position >= index.size()) {
        return refuse("zone {}: route {} has next hop {} of {} that are named", zone, base::to_string(prefix),
                      position, index.size());
      }
      if (index[position] == withdraw) {
        if (target_.next_hop_names.size() > next_hop_limit + 1) {
          return refuse("zone {}: its routes name more than {} next hops", zone, next_hop_limit);
        }
        index[position] = intern(routes.next_hop_names(static_cast<int>(position)));
      }
      next_hop = index[position];
    }
    table.push_back({prefix, next_hop});
  }
  return {};
}

auto Transaction::finish(const RunningRoutes& running) && -> tl::expected<Target, std::string> {
  for (auto check : {&Transaction::check_ports, &Transaction::check_adjacencies,
                     &Transaction::check_next_hops, &Transaction::check_zones, &Transaction::check_sources}) {
    if (auto valid = (this->*check)(); !valid) {
      return tl::unexpected(valid.error());
    }
  }
  target_.full = full_;
  if (full_) {
    for (const auto& [zone, spec] : target_.configuration.zones) {
      target_.tables[zone].replace = true;
    }
  }
  if (auto valid = check_routes(running); !valid) {
    return tl::unexpected(valid.error());
  }
  for (auto& [zone, table] : target_.tables) {
    sort_last_wins(table.routes);
  }
  if (auto valid = check_removed_next_hops(running); !valid) {
    return tl::unexpected(valid.error());
  }
  // A removed zone takes its table along by itself.
  std::erase_if(target_.tables,
                [&](const auto& table) { return !target_.configuration.zones.contains(table.first); });
  for (auto& [zone, table] : target_.tables) {
    if (table.replace) {
      std::erase_if(table.routes, [](const NamedRoute& route) { return route.next_hop == withdraw; });
    }
  }
  return std::move(target_);
}

auto Transaction::check_ports() const -> Result {
  std::map<std::string, std::string> owners;
  std::map<std::string, std::string> companions;
  for (const auto& [name, config] : target_.configuration.ports) {
    const auto [owner, first] = owners.try_emplace(device_name(config.device), name);
    if (!first) {
      return refuse("port {}: device {} is port {}'s", name, owner->first, owner->second);
    }
    const auto [other, sole] = companions.try_emplace(config.companion, name);
    if (!sole && !config.companion.empty()) {
      return refuse("port {}: companion {} is port {}'s", name, other->first, other->second);
    }
  }
  if (const auto& exit = target_.configuration.exit; exit && !target_.configuration.ports.contains(*exit)) {
    return refuse("the exit: port {} is not among the ports", *exit);
  }
  return {};
}

auto Transaction::check_adjacencies() const -> Result {
  for (const auto& [id, spec] : target_.configuration.adjacencies) {
    if (!target_.configuration.ports.contains(id.port)) {
      return refuse("adjacency {}: port {} is not among the ports", describe(id), id.port);
    }
  }
  return {};
}

auto Transaction::check_next_hops() const -> Result {
  for (const auto& [name, spec] : target_.configuration.next_hops) {
    for (const auto& member : spec.members) {
      if (!member.id.port.empty() && !target_.configuration.adjacencies.contains(member.id)) {
        return refuse("next hop {}: member {} is not among the adjacencies", name, describe(member.id));
      }
    }
  }
  return {};
}

auto Transaction::check_zones() const -> Result {
  for (const auto& [name, spec] : target_.configuration.zones) {
    for (const auto& port : spec.ports) {
      if (!target_.configuration.ports.contains(port)) {
        return refuse("zone {}: port {} is not among the ports", name, port);
      }
    }
  }
  return {};
}

auto Transaction::check_sources() const -> Result {
  std::vector<std::pair<base::Prefix, const std::string*>> owners;
  for (const auto& [name, spec] : target_.configuration.zones) {
    for (const auto prefix : spec.sources) {
      owners.emplace_back(prefix, &name);
    }
  }
  if (owners.size() > max_sources) {
    return refuse("the zones have {} sources, more than {}", owners.size(), max_sources);
  }
  std::ranges::stable_sort(owners, {}, [](const auto& owner) { return owner.first; });
  const auto twice = std::ranges::adjacent_find(owners, {}, [](const auto& owner) { return owner.first; });
  if (twice != owners.end()) {
    return refuse("zone {}: source {} belongs to zone {}", *std::next(twice)->second,
                  base::to_string(twice->first), *twice->second);
  }
  return {};
}

auto Transaction::check_routes(const RunningRoutes& running) const -> Result {
  const auto& wanted = target_.configuration;
  std::vector<bool> checked(target_.next_hop_names.size());
  for (const auto& [zone, table] : target_.tables) {
    if (!table.routes.empty() && !wanted.zones.contains(zone)) {
      return refuse("routes of zone {}: it is not among the zones", zone);
    }
    for (const auto& route : table.routes) {
      if (route.next_hop == withdraw || checked[value_of(route.next_hop)]) {
        continue;
      }
      const auto& name = target_.next_hop_names[value_of(route.next_hop)];
      if (!wanted.next_hops.contains(name)) {
        return refuse("zone {}: route {} leads to next hop {}, which is not among the next hops", zone,
                      base::to_string(route.prefix), name);
      }
      checked[value_of(route.next_hop)] = true;
    }
    if (auto valid = check_withdrawn(zone, table, running); !valid) {
      return valid;
    }
  }
  return {};
}

// In the order in which they came, so that a route may be added and withdrawn by one transaction.
auto Transaction::check_withdrawn(const std::string& zone, const TableTarget& table,
                                  const RunningRoutes& running) const -> Result {
  if (std::ranges::find(table.routes, withdraw, &NamedRoute::next_hop) == table.routes.end()) {
    return {};
  }
  std::map<base::Prefix, bool> exists;
  for (const auto& route : table.routes) {
    if (route.next_hop == withdraw) {
      const auto named = exists.find(route.prefix);
      const bool there = named != exists.end()
                             ? named->second
                             : !table.replace && running.find(zone, route.prefix).has_value();
      if (!there) {
        return refuse("zone {}: route {} cannot be withdrawn: it is not in the table", zone,
                      base::to_string(route.prefix));
      }
    }
    exists[route.prefix] = route.next_hop != withdraw;
  }
  return {};
}

auto Transaction::check_removed_next_hops(const RunningRoutes& running) const -> Result {
  if (full_) {
    return {};
  }
  for (const auto& [name, spec] : running_.next_hops) {
    if (target_.configuration.next_hops.contains(name)) {
      continue;
    }
    for (const auto& [zone, zone_spec] : running_.zones) {
      const auto table = target_.tables.find(zone);
      const bool touched = table != target_.tables.end();
      if (touched && table->second.replace) {
        continue;
      }
      auto left = running.count(zone, name);
      if (touched && left != 0) {
        left -= std::ranges::count_if(table->second.routes, [&](const NamedRoute& route) {
          return running.find(zone, route.prefix) == std::string_view{name};
        });
      }
      if (left != 0) {
        return refuse("next hop {} cannot be removed: {} of zone {}'s routes lead to it", name, left, zone);
      }
    }
  }
  return {};
}

}  // namespace sekisho::writer
