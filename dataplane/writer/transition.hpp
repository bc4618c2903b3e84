// SPDX-License-Identifier: BSD-3-Clause
// Takes what runs from one configuration to the next with the smallest change.
//
// Workers read all the while. For every address each lookup gives the answer from before or from after, never
// a third, and no packet is lost that neither configuration would drop. So everything is built before it is
// pointed to, pointed to before it is used, and taken down only when nothing points to it and a grace period
// has passed:
//
//   prepare       indexes, new zones' tables (complete), the differences of the others; no worker sees any of it
//   publish       ports that are new, or get another device; the exit
//                 adjacencies; those that lose their neighbour wait until routes and next hops have left them
//                 next hops: new ones
//                 tables of zones that stay: one Fib::apply each
//                 zones, and while sources move, their ports from before beside those from after
//                 sources: one moves when its zone is complete
//   ---------     up to here everything that can fail; a refusal takes back what was done, last first. So does an allocation
//                 that fails; beyond it there is the reserve (memory_reserve.hpp)
//   sweep         next hops, adjacencies, zones and ports that are not named any more
//   late ports    those whose device has to be closed before it can be opened again
//   exit          learns its port; interfaces that nobody wants any more go
//
// What this does not promise is one instant for both lookups of a packet: when a source moves to another zone and the
// table of the zone that it leaves changes too, it may for a moment be judged by that zone's new table.
//
// Each part (ports, host, next hops, zones, tables) knows how to do this for itself; here is the order among them.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "dataplane.pb.h"
#include "dataplane/writer/host_changes.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/next_hop_changes.hpp"
#include "dataplane/writer/port_changes.hpp"
#include "dataplane/writer/table_changes.hpp"
#include "dataplane/writer/transaction.hpp"
#include "dataplane/writer/zone_changes.hpp"

namespace sekisho::writer {

class Transition {
 public:
  Transition(Live& live, Target target) : live_{live}, target_{std::move(target)} {}
  Transition(const Transition&) = delete;
  Transition& operator=(const Transition&) = delete;

  // `failed_ports` and `transaction` are left to the caller.
  [[nodiscard]] auto run() -> tl::expected<ipc::Committed, std::string>;

 private:
  auto attempt_with_memory() -> Result;
  auto attempt() -> Result;
  auto prepare() -> Result;
  auto publish() -> Result;
  void undo();
  void finish();
  void close_marked_ports();
  [[nodiscard]] auto count_changes() const -> ipc::Committed;

  Live& live_;
  Target target_;
  const Configuration& wanted_ = target_.configuration;

  PortChanges ports_{live_, wanted_, target_.full};
  HostChanges host_{live_, wanted_};
  NextHopChanges next_hops_{live_, wanted_};
  ZoneChanges zones_{live_, wanted_, ports_};
  TableChanges tables_{live_, target_, zones_};
};

}  // namespace sekisho::writer
