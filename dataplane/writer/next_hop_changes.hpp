// SPDX-License-Identifier: BSD-3-Clause
// What becomes of next hops and of the adjacencies that are their members.
//
// A next hop whose definition changes is swapped in place: one object, whatever the number of routes. When routes change
// too, an address may get another route and that route another meaning, and a lookup between the two would see neither
// before nor after: then the next hop gets a new index, and its routes change to it together with all others.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dataplane/writer/configuration.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/table_diff.hpp"
#include "dataplane/writer/undo.hpp"

namespace sekisho::writer {

class NextHopChanges {
 public:
  NextHopChanges(Live& live, const Configuration& wanted) : live_{live}, wanted_{wanted} {}

  // Indexes of new ones.
  [[nodiscard]] auto prepare() -> Result;
  // New indexes for next hops whose definition changes while `routes_change`; by old index, empty: none.
  [[nodiscard]] auto renumber(bool routes_change) -> tl::expected<Renumbering, std::string>;
  // Adjacencies and new indexes. What loses its neighbour waits until routes and next hops have left it, if any will.
  void publish(bool routes_change);
  void undo() { undo_.run(); }

  // Once nothing can be refused any more: those that change in place.
  void redefine();
  // Adjacencies as their ports are now.
  void publish_adjacencies();
  void sweep();

 private:
  void publish_adjacency(const AdjacencyId& id, const nexthop::Adjacency& next);
  [[nodiscard]] auto resolve(const AdjacencyId& id, const AdjacencySpec& spec) const -> nexthop::Adjacency;
  void set(nexthop::NextHopIndex index, const NextHopSpec& spec);
  void sweep_next_hops();
  void sweep_adjacencies();

  Live& live_;
  const Configuration& wanted_;
  Undo undo_;
  std::vector<std::pair<std::string, nexthop::NextHopIndex>>
      fresh_;  // new ones and those that get a new index
  std::vector<std::pair<std::string, nexthop::NextHopIndex>> outdated_;  // the latters' indexes from before
  std::vector<std::string> redefined_;                                   // change in place
};

}  // namespace sekisho::writer
