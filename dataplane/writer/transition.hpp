// Takes what runs from one configuration to the next with the smallest change.
//
// Workers read all the while. For every address each lookup gives the answer from before or from after, never
// a third, and no packet is lost that neither configuration would drop. So everything is built before it is
// pointed to, pointed to before it is used, and taken down only when nothing points to it and a grace period
// has passed:
//
//   prepare       indexes, new zones' tables (complete), the differences of the others; no worker sees any of it
//   ports         that are new, or get another device
//   adjacencies   those that lose their neighbour wait until routes and next hops have left them
//   next hops     new ones
//   tables        of zones that stay: one Fib::apply each
//   state         the zones' tables and ports; while sources move, the ports from before beside those from after
//   sources       a source moves when its zone is complete
//   ---------     up to here everything that can fail; a refusal takes back what was done, last first. So does an allocation
//                 that fails; beyond it there is the reserve (memory_reserve.hpp)
//   sweep         next hops, adjacencies, zones and ports that are not named any more
//   late ports    those whose device has to be closed before it can be opened again
//   exit          learns its port; interfaces that nobody wants any more go
//
// What this does not promise is one instant for both lookups of a packet: when a source moves to another zone and the
// table of the zone that it leaves changes too, it may for a moment be judged by that zone's new table.
//
// A next hop whose members change in place is one object's swap. When routes change too, an address may get
// another route and that route another meaning, and a lookup between the two would see neither before nor
// after: then the next hop gets a new index, and its routes change to it together with all others.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "dataplane.pb.h"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/table_diff.hpp"
#include "dataplane/writer/transaction.hpp"

namespace sekisho::writer {

// The TAP that a running port's companion is to have.
[[nodiscard]] auto open_tap(const LivePort& port) -> tl::expected<host::Tap, std::string>;

class Transition {
 public:
  using Result = tl::expected<void, std::string>;

  Transition(Live& live, Target target);

  // `failed_ports` and `transaction` are left to the caller.
  [[nodiscard]] auto run() -> tl::expected<ipc::Committed, std::string>;

 private:
  // transition.cpp
  auto attempt_with_memory() -> Result;
  auto attempt() -> Result;
  auto prepare() -> Result;
  auto take_indexes() -> Result;
  auto prepare_tables() -> Result;
  void prepare_sources();
  auto host_sources_of(const std::string& port) const -> forward::HostSources;
  auto renumber_next_hops() -> Result;
  auto apply(fib::Fib& table, std::span<const fib::Route> changes) -> Result;
  auto change_tables() -> Result;
  static void count_routes(LiveZone& zone, const std::vector<fib::Route>& before,
                           const std::vector<fib::Route>& after);
  void set_next_hop(fib::NextHopIndex index, const NextHopSpec& spec);
  void add_next_hops();
  void count_changes();
  void roll_back();

  // transition_publish.cpp: what is published is compared with what workers already have, and not touched
  // when equal.
  enum class Publish { all, all_but_losses };
  void publish_adjacencies(Publish which);
  void publish_state(const forward::ForwardingState& next);
  void publish_state_undoably(const forward::ForwardingState& next);
  void publish_queues();
  void add_new_zones();
  auto with_ports(forward::ForwardingState state) const -> forward::ForwardingState;
  auto with_zones(forward::ForwardingState state) const -> forward::ForwardingState;
  auto resolve(const AdjacencyId& id, const AdjacencySpec& spec) const -> fib::Adjacency;

  // transition_ports.cpp
  void follow_interfaces();
  void open_early_ports();
  void open_late_ports();
  void open(LivePort& port, const port::PortConfig& config);
  void close(LivePort& port);
  void replace(const port::PortConfig& config, unsigned index);
  void close_ports();
  void take_down();
  void admit_ports();
  void set_local_addresses();
  auto set_host_sources(LivePort& port) -> Result;
  bool is_due(const LivePort& port, const port::PortConfig& config) const;  // to be opened
  bool device_held(const port::PortConfig& config) const;

  // transition_host.cpp
  auto give_companion(LivePort& port) -> Result;
  void take_companion(LivePort& port);
  void open_exit();
  void settle_exit();
  void publish_host_queues();
  void remove_stale_interfaces() const;

  // transition_sweep.cpp
  void sweep();
  void sweep_zones();
  void sweep_next_hops();
  void sweep_adjacencies();

  Live& live_;
  Target target_;
  const Configuration& wanted_ = target_.configuration;
  ipc::Committed committed_;
  std::vector<std::function<void()>> undo_;  // to be run last first

  std::map<std::string, LiveZone> new_zones_;  // until the state is published
  std::map<std::string, TableDiff> diffs_;     // by zone
  TableDiff sources_diff_;
  std::map<std::string, fib::NextHopIndex> new_next_hops_;  // new ones and those that get a new index
  std::vector<std::pair<std::string, fib::NextHopIndex>> old_indexes_;  // of those
  std::vector<std::string> redefined_;                                  // next hops that change in place
  std::vector<LivePort> replaced_ports_;   // another device runs under their name
  std::set<std::string> attempted_ports_;  // opened or failed by this transaction
};

}  // namespace sekisho::writer
