// SPDX-License-Identifier: BSD-3-Clause
// What becomes of the ports.
//
// A device that nobody holds is opened while the transaction can still be refused, also when another one runs under the port's
// name: that one goes on until workers have the new one. A device that has to be closed before it can be opened again waits
// until nothing can be refused any more. A device that does not open refuses nothing: the port is reported as failed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dataplane/writer/configuration.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/undo.hpp"

namespace sekisho::writer {

class PortChanges {
 public:
  PortChanges(Live& live, const Configuration& wanted, bool is_full)
      : live_{live}, wanted_{wanted}, is_full_{is_full} {}

  // Indexes of new ones.
  [[nodiscard]] auto prepare() -> Result;
  // Opens those whose device nobody holds. Workers may send there, and receive nothing yet.
  void publish();
  void undo() { undo_.run(); }

  // Once nothing can be refused any more. What is marked is not usable, and workers are to be taken off it; then it is closed.
  void mark_leaving();
  // What came by a port that workers cannot send by any more waits for no neighbour: returns when none of it does, and all of it is
  // counted.
  void let_go();
  void close_marked();
  void sweep();
  void open_late();
  void publish_queues();
  // Lets packets in. False: one that let none in is marked to be closed.
  [[nodiscard]] bool admit();
  void set_local_addresses();

  // The state with the ports that can be used; both devices where one takes another's place.
  [[nodiscard]] auto in(forward::ForwardingState state) const -> forward::ForwardingState;
  // Every port of these names that may still receive.
  [[nodiscard]] auto mask_of(const std::vector<std::string>& names) const -> forward::PortMask;
  // How many came up without having been changed.
  [[nodiscard]] unsigned revived() const;

 private:
  void follow_interfaces();
  void open(LivePort& port, const port::PortConfig& config);
  void open_undoably(LivePort& port, const port::PortConfig& config);
  void replace(const port::PortConfig& config, unsigned index);
  void close(LivePort& port);
  auto set_host_sources(LivePort& port) -> Result;
  [[nodiscard]] bool is_due(const LivePort& port, const port::PortConfig& config) const;  // to be opened
  [[nodiscard]] bool device_held(const port::PortConfig& config) const;
  [[nodiscard]] auto host_sources_of(const std::string& port) const -> decide::HostSources;
  void for_each_usable(auto visit) const;

  Live& live_;
  const Configuration& wanted_;
  const bool is_full_;  // everything is said anew: ports that failed are tried again
  Undo undo_;
  std::vector<LivePort> replaced_;   // another device runs under their name
  std::set<std::string> attempted_;  // opened or failed by this transaction
};

}  // namespace sekisho::writer
