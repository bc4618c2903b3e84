// SPDX-License-Identifier: BSD-3-Clause
// What becomes of the zones' routes: one Fib::apply for each table.
#pragma once

#include <map>
#include <string>

#include "dataplane.pb.h"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/table_diff.hpp"
#include "dataplane/writer/transaction.hpp"
#include "dataplane/writer/undo.hpp"
#include "dataplane/writer/zone_changes.hpp"

namespace sekisho::writer {

class TableChanges {
 public:
  // `target`'s tables are used up.
  TableChanges(Live& live, Target& target, ZoneChanges& zones)
      : live_{live}, target_{target}, zones_{zones} {}

  // What differs. Next hops and zones have their indexes.
  void compare();
  [[nodiscard]] bool empty() const;
  // The routes' next hops are known by their new indexes, and new zones' tables are complete. No worker sees any of it.
  [[nodiscard]] auto prepare(const Renumbering& renumbering) -> Result;
  // Changes the tables that workers read.
  [[nodiscard]] auto publish() -> Result;
  void undo() { undo_.run(); }

  void count(ipc::Committed& committed) const;

 private:
  Live& live_;
  Target& target_;
  ZoneChanges& zones_;
  Undo undo_;
  std::map<std::string, TableDiff> diffs_;  // by zone
};

}  // namespace sekisho::writer
