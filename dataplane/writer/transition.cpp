#include "dataplane/writer/transition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <ranges>

#include "common/base/memory_reserve.hpp"
#include "dataplane/writer/reuse.hpp"

namespace sekisho::writer {
namespace {

template <class Map>
std::uint32_t count_differences(const Map& before, const Map& after) {
  std::uint32_t count = 0;
  for (const auto& [key, value] : after) {
    const auto old = before.find(key);
    count += old == before.end() || !(old->second == value);
  }
  for (const auto& [key, value] : before) {
    count += !after.contains(key);
  }
  return count;
}

bool all_empty(const std::map<std::string, TableDiff>& diffs) {
  return std::ranges::all_of(diffs, [](const auto& diff) { return diff.second.empty(); });
}

std::set<std::uint32_t> own_addresses(const Configuration& configuration) {
  std::set<std::uint32_t> own;
  for (const auto& [name, port] : configuration.ports) {
    own.insert(port.local.begin(), port.local.end());
  }
  return own;
}

auto exhausted(std::string_view what, std::size_t limit) {
  return tl::unexpected(
      fmt::format("more than {} {} would exist at once, old and new ones: remove some first", limit, what));
}

}  // namespace

Transition::Transition(Live& live, Target target) : live_{live}, target_{std::move(target)} {}

auto Transition::run() -> tl::expected<ipc::Committed, std::string> {
  if (auto done = attempt_with_memory(); !done) {
    roll_back();
    return tl::unexpected(done.error());
  }
  undo_.clear();
  count_changes();
  for (const auto& name : redefined_) {
    set_next_hop(live_.next_hop_names.at(name).index, wanted_.next_hops.at(name));
  }
  sweep();
  close_ports();
  open_late_ports();
  publish_queues();
  admit_ports();
  set_local_addresses();
  settle_exit();
  // A port or the exit that has gone leaves its interface behind.
  if (target_.full || committed_.ports_changed() != 0 || live_.configuration.exit != wanted_.exit) {
    remove_stale_interfaces();
  }
  for (const auto& name : attempted_ports_) {
    if (const auto before = live_.configuration.ports.find(name);
        before != live_.configuration.ports.end() && before->second == wanted_.ports.at(name)) {
      committed_.set_ports_changed(committed_.ports_changed() + live_.ports.at(name).usable());
    }
  }
  live_.configuration = std::move(target_.configuration);
  return committed_;
}

// What comes after it cannot be refused any more, and goes on with the reserve.
auto Transition::attempt_with_memory() -> Result {
  try {
    auto done = attempt();
    if (done && !base::has_memory_reserve()) {
      return tl::unexpected(std::string{base::no_memory});
    }
    return done;
  } catch (const std::bad_alloc&) {
    return tl::unexpected(std::string{base::no_memory});
  }
}

auto Transition::attempt() -> Result {
  if (auto done = prepare(); !done) {
    return done;
  }
  follow_interfaces();
  open_early_ports();
  open_exit();
  // What loses its neighbour waits until routes and next hops have left it; at once when none is about to.
  const bool only_neighbours = redefined_.empty() && new_next_hops_.empty() && all_empty(diffs_);
  publish_adjacencies(only_neighbours ? Publish::all : Publish::all_but_losses);
  add_next_hops();
  if (auto done = change_tables(); !done) {
    return done;
  }
  add_new_zones();
  // While sources move, a zone may come in by the ports that it had and by those that it gets: close_ports()
  // publishes the latter alone.
  auto both = with_zones(*live_.state);
  for (std::size_t zone = 1; zone < both.zones.size(); ++zone) {
    both.zones[zone].ports |= live_.state->zones[zone].ports;
  }
  publish_state_undoably(both);
  if (auto done = apply(*live_.sources, sources_diff_.changes); !done) {
    return tl::unexpected(fmt::format("the zones' sources: {}", done.error()));
  }
  undo_.emplace_back([this] {
    live_.qsbr.synchronize();
    static_cast<void>(live_.sources->apply(sources_diff_.inverse));
    live_.qsbr.synchronize();  // zones that only the refused sources lead to are taken away after this
  });
  return {};
}

void Transition::roll_back() {
  for (; !undo_.empty(); undo_.pop_back()) {
    undo_.back()();
  }
}

auto Transition::prepare() -> Result {
  if (auto done = take_indexes(); !done) {
    return done;
  }
  if (auto done = prepare_tables(); !done) {
    return done;
  }
  prepare_sources();
  if (auto done = renumber_next_hops(); !done) {
    return done;
  }
  for (auto& [name, zone] : new_zones_) {
    const auto& diff = diffs_[name];
    if (auto done = apply(*zone.table, diff.changes); !done) {
      return tl::unexpected(fmt::format("zone {}: {}", name, done.error()));
    }
    count_routes(zone, diff.inverse, diff.changes);
  }
  return {};
}

auto Transition::take_indexes() -> Result {
  for (const auto& [name, config] : wanted_.ports) {
    if (live_.ports.contains(name)) {
      continue;
    }
    const auto index = live_.port_indexes.take();
    if (!index) {
      return exhausted("ports", forward::max_ports);
    }
    live_.ports[name].index = static_cast<forward::PortIndex>(*index);
    undo_.emplace_back([this, name, index] {
      live_.ports.erase(name);
      forget_port(live_, static_cast<forward::PortIndex>(*index));
      live_.port_indexes.give_back(*index);
    });
  }
  for (const auto& [id, spec] : wanted_.adjacencies) {
    if (live_.adjacencies.contains(id)) {
      continue;
    }
    const auto index = live_.adjacency_indexes.take();
    if (!index) {
      return exhausted("adjacencies", fib::max_adjacencies - fib::first_adjacency);
    }
    live_.adjacencies[id].index = static_cast<fib::AdjacencyIndex>(*index);
    undo_.emplace_back([this, id, index] {
      live_.adjacencies.erase(id);
      forget_adjacency(live_, static_cast<fib::AdjacencyIndex>(*index));
      live_.adjacency_indexes.give_back(*index);
    });
  }
  for (const auto& [name, spec] : wanted_.next_hops) {
    if (live_.next_hop_names.contains(name)) {
      continue;
    }
    const auto index = live_.next_hop_indexes.take();
    if (!index) {
      return exhausted("next hops", fib::max_next_hops - 1);
    }
    live_.next_hop_names[name].index = new_next_hops_[name] = static_cast<fib::NextHopIndex>(*index);
    undo_.emplace_back([this, name, index] {
      live_.next_hop_names.erase(name);
      forget_next_hop(live_, static_cast<fib::NextHopIndex>(*index));
      live_.next_hop_indexes.give_back(*index);
    });
  }
  for (const auto& [name, spec] : wanted_.zones) {
    if (live_.zones.contains(name)) {
      continue;
    }
    const auto index = live_.zone_indexes.take();
    if (!index) {
      return exhausted("zones", forward::max_zones);
    }
    new_zones_[name].index = static_cast<forward::ZoneIndex>(*index);
    undo_.emplace_back([this, index] { live_.zone_indexes.give_back(*index); });
  }
  return {};
}

auto Transition::prepare_tables() -> Result {
  for (auto& [name, zone] : new_zones_) {
    auto table = fib::Fib::create(live_.qsbr, live_.table_options);
    if (!table) {
      return tl::unexpected(fmt::format("zone {}: {}", name, table.error()));
    }
    zone.table = std::move(*table);
  }
  std::vector<fib::NextHopIndex> index_of_name{fib::no_route};
  for (const auto& name : target_.next_hop_names | std::views::drop(1)) {
    const auto known = live_.next_hop_names.find(name);
    index_of_name.push_back(known == live_.next_hop_names.end() ? fib::no_route : known->second.index);
  }
  for (auto& [name, target] : target_.tables) {
    for (auto& route : target.routes) {
      route.next_hop = index_of_name[route.next_hop];
    }
    const auto fresh = new_zones_.find(name);
    const auto& table = fresh == new_zones_.end() ? *live_.zones.at(name).table : *fresh->second.table;
    diffs_[name] = target.replace ? writer::replace(table, target.routes) : change(table, target.routes);
    committed_.set_routes_added(committed_.routes_added() + diffs_[name].added);
    committed_.set_routes_changed(committed_.routes_changed() + diffs_[name].changed);
    committed_.set_routes_removed(committed_.routes_removed() + diffs_[name].removed);
    target.routes = {};
  }
  return {};
}

// Nobody else sends as we do, or as all of a subnet: own addresses are in the table of sources, too, as no zone's.
void Transition::prepare_sources() {
  const auto own = own_addresses(wanted_);
  if (wanted_.zones == live_.configuration.zones && own == own_addresses(live_.configuration)) {
    return;
  }
  std::vector<fib::Route> wanted;
  for (const auto& [name, spec] : wanted_.zones) {
    const auto fresh = new_zones_.find(name);
    const auto index = fresh == new_zones_.end() ? live_.zones.at(name).index : fresh->second.index;
    for (const auto prefix : spec.sources) {
      if (prefix.length != 32 || !own.contains(prefix.address)) {
        wanted.push_back({prefix, index});
      }
    }
  }
  for (const auto address : own) {
    wanted.push_back({{address, 32}, forward::own_sources});
  }
  std::ranges::sort(wanted, {}, &fib::Route::prefix);
  sources_diff_ = writer::replace(*live_.sources, wanted);
}

auto Transition::host_sources_of(const std::string& port) const -> forward::HostSources {
  forward::HostSources::Rules rules;
  for (const auto& [name, zone] : wanted_.zones) {
    rules.add_zone(zone.sources, std::ranges::binary_search(zone.ports, port));
  }
  rules.allow(wanted_.ports.at(port).host_sources);
  for (const auto& [name, config] : wanted_.ports) {
    rules.add_own(config.local);
  }
  return forward::HostSources{std::move(rules)};
}

auto Transition::renumber_next_hops() -> Result {
  for (const auto& [name, spec] : live_.configuration.next_hops) {
    if (const auto wanted = wanted_.next_hops.find(name);
        wanted != wanted_.next_hops.end() && wanted->second != spec) {
      redefined_.push_back(name);
    }
  }
  if (redefined_.empty() || (all_empty(diffs_) && wanted_.zones == live_.configuration.zones)) {
    return {};
  }

  Renumbering renumbering(fib::max_next_hops, fib::no_route);
  for (const auto& name : redefined_) {
    const auto index = live_.next_hop_indexes.take();
    if (!index) {
      return exhausted("next hops", fib::max_next_hops - 1);
    }
    auto& next_hop = live_.next_hop_names.at(name);
    const auto old = next_hop.index;
    renumbering[old] = next_hop.index = new_next_hops_[name] = static_cast<fib::NextHopIndex>(*index);
    old_indexes_.emplace_back(name, old);
    undo_.emplace_back([this, &next_hop, old, index] {
      next_hop.index = old;
      const auto counted = forget_next_hop(live_, static_cast<fib::NextHopIndex>(*index));
      next_hop.earlier.packets += counted.packets;
      next_hop.earlier.bytes += counted.bytes;
      live_.next_hop_indexes.give_back(*index);
    });
  }
  redefined_.clear();
  for (auto& [name, zone] : live_.zones) {
    if (wanted_.zones.contains(name)) {
      renumber(*zone.table, renumbering, diffs_[name]);
    }
  }
  for (auto& [name, zone] : new_zones_) {
    renumber(*zone.table, renumbering, diffs_[name]);
  }
  return {};
}

auto Transition::apply(fib::Fib& table, std::span<const fib::Route> changes) -> Result {
  if (changes.empty()) {
    return {};
  }
  auto done = table.apply(changes);
  if (!done) {
    // Extension tables that were given back may still wait for their grace period.
    live_.qsbr.synchronize();
    done = table.apply(changes);
  }
  return done;
}

void Transition::count_routes(LiveZone& zone, const std::vector<fib::Route>& before,
                              const std::vector<fib::Route>& after) {
  for (const auto& route : before) {
    --zone.routes_by_next_hop[route.next_hop];
  }
  for (const auto& route : after) {
    ++zone.routes_by_next_hop[route.next_hop];
  }
}

auto Transition::change_tables() -> Result {
  for (const auto& [name, diff] : diffs_) {
    const auto zone = live_.zones.find(name);
    if (zone == live_.zones.end() || diff.empty()) {
      continue;
    }
    if (auto done = apply(*zone->second.table, diff.changes); !done) {
      return tl::unexpected(fmt::format("zone {}: {}", name, done.error()));
    }
    count_routes(zone->second, diff.inverse, diff.changes);
    undo_.emplace_back([this, &live = zone->second, &changed = diff] {
      // What was unlinked is free again after this, so that the way back cannot lack extension tables.
      live_.qsbr.synchronize();
      static_cast<void>(live.table->apply(changed.inverse));
      // Next hops that only the refused routes used are taken away after this.
      live_.qsbr.synchronize();
      count_routes(live, changed.changes, changed.inverse);
    });
  }
  return {};
}

void Transition::set_next_hop(fib::NextHopIndex index, const NextHopSpec& spec) {
  if (spec.action != fib::Action::forward) {
    return live_.next_hops.set_action(index, spec.action);
  }
  std::vector<fib::AdjacencyIndex> members;
  for (const auto& member : spec.members) {
    members.push_back(live_.adjacencies.at(member).index);
  }
  live_.next_hops.set_members(index, members);
}

void Transition::add_next_hops() {
  for (const auto& [name, index] : new_next_hops_) {
    set_next_hop(index, wanted_.next_hops.at(name));
    undo_.emplace_back([this, index] { live_.next_hops.clear(index); });
  }
}

void Transition::count_changes() {
  const auto& before = live_.configuration;
  committed_.set_ports_changed(count_differences(before.ports, wanted_.ports));
  committed_.set_next_hops_changed(count_differences(before.next_hops, wanted_.next_hops));
  committed_.set_adjacencies_changed(count_differences(before.adjacencies, wanted_.adjacencies));
  committed_.set_zones_changed(count_differences(before.zones, wanted_.zones));
}

}  // namespace sekisho::writer
