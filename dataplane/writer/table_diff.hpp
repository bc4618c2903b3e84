// SPDX-License-Identifier: BSD-3-Clause
// What has to change in a table, doing it, and how to take it back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/fib/fib.hpp"
#include "dataplane/writer/live.hpp"
#include "dataplane/writer/undo.hpp"

namespace sekisho::writer {

struct TableDiff {
  // By prefix, in the same order: what becomes of it and what was there; no_route is nothing.
  std::vector<fib::Route> changes;
  std::vector<fib::Route> inverse;
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;

  [[nodiscard]] bool empty() const noexcept { return changes.empty(); }
};

// So that the table holds `wanted` (sorted, each prefix once, no withdrawals) and nothing else.
[[nodiscard]] TableDiff replace(const fib::Fib& table, std::span<const fib::Route> wanted);
// So that the table has had `changes` (each prefix once).
[[nodiscard]] TableDiff change(const fib::Fib& table, std::span<const fib::Route> changes);

// By what a table gives, another that takes its place; no_route: it stays.
using Renumbering = std::vector<fib::Value>;
// Lets every route of the table that `diff` leads to, or leaves at, a renumbered next hop use the new index.
void renumber(const fib::Fib& table, const Renumbering& renumbering, TableDiff& diff);

[[nodiscard]] auto create_table(const Live& live) -> tl::expected<std::unique_ptr<fib::Fib>, std::string>;
// Waits for extension tables to come free where they do not suffice.
[[nodiscard]] auto apply(const Live& live, fib::Fib& table, std::span<const fib::Route> changes) -> Result;
// Of a diff that was applied. Returns when no worker has an answer from after it in hand.
void take_back(const Live& live, fib::Fib& table, const TableDiff& diff);

}  // namespace sekisho::writer
