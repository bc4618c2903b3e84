// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/next_hop_changes.hpp"

#include <algorithm>
#include <utility>

#include "dataplane/writer/indexes.hpp"

namespace sekisho::writer {

auto NextHopChanges::prepare() -> Result {
  for (const auto& [id, spec] : wanted_.adjacencies) {
    if (live_.adjacencies.contains(id)) {
      continue;
    }
    const auto index = take_index(live_, live_.adjacency_indexes, "adjacencies");
    if (!index) {
      return tl::unexpected(index.error());
    }
    live_.adjacencies[id].index = static_cast<nexthop::AdjacencyIndex>(*index);
    undo_.add([this, id, index] {
      live_.adjacencies.erase(id);
      forget_adjacency(live_, static_cast<nexthop::AdjacencyIndex>(*index));
      live_.adjacency_indexes.give_back(*index);
    });
  }
  for (const auto& [name, spec] : wanted_.next_hops) {
    if (const auto known = live_.configuration.next_hops.find(name);
        known != live_.configuration.next_hops.end()) {
      if (known->second != spec) {
        redefined_.push_back(name);
      }
      continue;
    }
    const auto index = take_index(live_, live_.next_hop_indexes, "next hops");
    if (!index) {
      return tl::unexpected(index.error());
    }
    fresh_.emplace_back(name, nexthop::NextHopIndex(*index));
    live_.next_hop_names[name].index = fresh_.back().second;
    undo_.add([this, name, index] {
      live_.next_hop_names.erase(name);
      forget_next_hop(live_, nexthop::NextHopIndex(*index));
      live_.next_hop_indexes.give_back(*index);
    });
  }
  return {};
}

auto NextHopChanges::renumber(bool routes_change) -> tl::expected<Renumbering, std::string> {
  if (redefined_.empty() || !routes_change) {
    return {};
  }
  Renumbering renumbering(nexthop::max_next_hops, fib::no_route);
  for (const auto& name : redefined_) {
    const auto index = take_index(live_, live_.next_hop_indexes, "next hops");
    if (!index) {
      return tl::unexpected(index.error());
    }
    auto& next_hop = live_.next_hop_names.at(name);
    const auto old = std::exchange(next_hop.index, nexthop::NextHopIndex(*index));
    renumbering[value_of(old)] = value_of(next_hop.index);
    fresh_.emplace_back(name, next_hop.index);
    outdated_.emplace_back(name, old);
    undo_.add([this, &next_hop, old, index] {
      next_hop.index = old;
      next_hop.earlier += forget_next_hop(live_, nexthop::NextHopIndex(*index));
      live_.next_hop_indexes.give_back(*index);
    });
  }
  redefined_.clear();
  return renumbering;
}

void NextHopChanges::publish(bool routes_change) {
  const bool all = !routes_change && redefined_.empty() && fresh_.empty();
  for (const auto& [id, spec] : wanted_.adjacencies) {
    const auto next = resolve(id, spec);
    const bool is_loss = live_.adjacencies.at(id).published.action == decide::Action::forward &&
                         next.action != decide::Action::forward;
    if (all || !is_loss) {
      publish_adjacency(id, next);
    }
  }
  for (const auto& [name, index] : fresh_) {
    set(index, wanted_.next_hops.at(name));
    undo_.add([this, index = index] { live_.next_hops.clear(index); });
  }
}

void NextHopChanges::publish_adjacencies() {
  for (const auto& [id, spec] : wanted_.adjacencies) {
    publish_adjacency(id, resolve(id, spec));
  }
}

void NextHopChanges::publish_adjacency(const AdjacencyId& id, const nexthop::Adjacency& next) {
  auto& live = live_.adjacencies.at(id);
  if (live.published == next) {
    return;
  }
  undo_.add([this, &live, before = live.published] {
    if (before.action == decide::Action::no_route) {  // it was not there
      live_.next_hops.clear_adjacency(live.index);
    } else {
      live_.next_hops.set_adjacency(live.index, before);
    }
    live.published = before;
  });
  live_.next_hops.set_adjacency(live.index, next);
  live.published = next;
}

auto NextHopChanges::resolve(const AdjacencyId& id, const AdjacencySpec& spec) const -> nexthop::Adjacency {
  const auto& port = live_.ports.at(id.port);
  nexthop::Adjacency adjacency{
      .port = port.index, .action = decide::Action::unresolved, .address = id.address};
  if (spec.mac) {
    std::ranges::copy(*spec.mac, adjacency.stations.begin());
  }
  if (port.usable()) {
    std::ranges::copy(port.device->mac(), adjacency.stations.begin() + 6);
    adjacency.mtu = port.device->mtu();
    if (spec.mac && spec.alive) {
      adjacency.action = decide::Action::forward;
    }
  }
  return adjacency;
}

void NextHopChanges::set(nexthop::NextHopIndex index, const NextHopSpec& spec) {
  if (spec.action != decide::Action::forward) {
    return live_.next_hops.set_action(index, spec.action);
  }
  std::vector<nexthop::Member> members;
  for (const auto& [id, weight, drained] : spec.members) {
    members.push_back(
        {.address = id.address,
         .adjacency = id.port.empty() ? nexthop::no_route_adjacency : live_.adjacencies.at(id).index,
         .weight = weight,
         .drained = drained});
  }
  live_.next_hops.set_members(index, members, spec.hash_by);
}

void NextHopChanges::redefine() {
  for (const auto& name : redefined_) {
    set(live_.next_hop_names.at(name).index, wanted_.next_hops.at(name));
  }
}

// From what is looked up first to what is looked up last, so that each is unknown when its turn comes.
void NextHopChanges::sweep() {
  sweep_next_hops();
  sweep_adjacencies();
}

void NextHopChanges::sweep_next_hops() {
  auto gone = std::move(outdated_);
  for (const auto& [name, next_hop] : live_.next_hop_names) {
    if (!wanted_.next_hops.contains(name)) {
      gone.emplace_back(name, next_hop.index);
    }
  }
  if (gone.empty()) {
    return;
  }
  live_.qsbr.synchronize();  // no worker has the index in hand
  for (const auto& [name, index] : gone) {
    live_.next_hops.clear(index);
  }
  live_.qsbr.synchronize();
  for (const auto& [name, index] : gone) {
    const auto counted = forget_next_hop(live_, index);
    live_.next_hop_indexes.give_back(value_of(index));
    if (wanted_.next_hops.contains(name)) {
      live_.next_hop_names.at(name).earlier += counted;
    } else {
      live_.next_hop_names.erase(name);
    }
  }
}

void NextHopChanges::sweep_adjacencies() {
  std::vector<AdjacencyId> gone;
  for (const auto& [id, adjacency] : live_.adjacencies) {
    if (!wanted_.adjacencies.contains(id)) {
      gone.push_back(id);
    }
  }
  if (gone.empty()) {
    return;
  }
  live_.qsbr.synchronize();  // no worker has a next hop in hand that led to it
  for (const auto& id : gone) {
    live_.next_hops.clear_adjacency(live_.adjacencies.at(id).index);
  }
  live_.qsbr.synchronize();
  for (const auto& id : gone) {
    const auto index = live_.adjacencies.at(id).index;
    live_.adjacencies.erase(id);
    forget_adjacency(live_, index);
    live_.adjacency_indexes.give_back(index);
  }
}

}  // namespace sekisho::writer
