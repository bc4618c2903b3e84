// SPDX-License-Identifier: BSD-3-Clause
// What becomes of zones: their tables, which are complete before a source leads to them, the ports that may carry them, and
// the table of sources. Between zones that exist, a source moves at once; its old zone goes when no worker knows it.
#pragma once

#include <map>
#include <string>

#include "dataplane/writer/configuration.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/port_changes.hpp"
#include "dataplane/writer/table_diff.hpp"
#include "dataplane/writer/undo.hpp"

namespace sekisho::writer {

class ZoneChanges {
 public:
  ZoneChanges(Live& live, const Configuration& wanted, const PortChanges& ports)
      : live_{live}, wanted_{wanted}, ports_{ports} {}

  // Indexes and empty tables of new ones, and how the sources change.
  [[nodiscard]] auto prepare() -> Result;
  // While sources move, a zone may come in by the ports that it had and by those that it gets.
  [[nodiscard]] auto publish() -> Result;
  void undo() { undo_.run(); }
  // Those that are not wanted any more.
  void sweep();

  // The zone that will be, until publish() beside the live ones.
  [[nodiscard]] LiveZone& at(const std::string& name);
  // The state with the wanted zones. Others keep what they have: sources still lead to them.
  [[nodiscard]] auto in(forward::ForwardingState state) const -> forward::ForwardingState;

 private:
  void prepare_sources();

  Live& live_;
  const Configuration& wanted_;
  const PortChanges& ports_;
  Undo undo_;
  std::map<std::string, LiveZone> fresh_;
  TableDiff sources_;
};

}  // namespace sekisho::writer
