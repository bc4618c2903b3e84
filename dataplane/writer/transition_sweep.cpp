#include <algorithm>

#include "dataplane/writer/reuse.hpp"
#include "dataplane/writer/transition.hpp"

namespace sekisho::writer {

// From what is looked up first to what is looked up last, so that each is unknown when its turn comes.
void Transition::sweep() {
  sweep_zones();
  sweep_next_hops();
  sweep_adjacencies();
}

void Transition::sweep_zones() {
  std::vector<std::string> gone;
  for (const auto& [name, zone] : live_.zones) {
    if (!wanted_.zones.contains(name)) {
      gone.push_back(name);
    }
  }
  if (gone.empty()) {
    return;
  }
  live_.qsbr.synchronize();  // no worker has a source of it in hand
  auto next = *live_.state;
  for (const auto& name : gone) {
    next.zones[live_.zones.at(name).index] = {};
  }
  publish_state(next);
  for (const auto& name : gone) {
    const auto index = live_.zones.at(name).index;
    live_.zones.erase(name);
    forget_zone(live_, index);
    live_.zone_indexes.give_back(index);
  }
}

void Transition::sweep_next_hops() {
  auto gone = std::move(old_indexes_);
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
    live_.next_hop_indexes.give_back(index);
    if (!wanted_.next_hops.contains(name)) {
      live_.next_hop_names.erase(name);
      continue;
    }
    auto& earlier = live_.next_hop_names.at(name).earlier;
    earlier.packets += counted.packets;
    earlier.bytes += counted.bytes;
  }
}

void Transition::sweep_adjacencies() {
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
