// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/table_diff.hpp"

#include <algorithm>

#include "common/base/prefix.hpp"

namespace sekisho::writer {
namespace {

void record(TableDiff& diff, base::Prefix prefix, fib::Value before, fib::Value after) {
  if (before == after) {
    return;
  }
  diff.changes.push_back({prefix, after});
  diff.inverse.push_back({prefix, before});
  ++(before == fib::no_route ? diff.added : after == fib::no_route ? diff.removed : diff.changed);
}

}  // namespace

TableDiff replace(const fib::Fib& table, std::span<const fib::Route> wanted) {
  TableDiff diff;
  auto next = wanted.begin();
  table.for_each([&](const fib::Route& route) {
    for (; next != wanted.end() && next->prefix < route.prefix; ++next) {
      record(diff, next->prefix, fib::no_route, next->value);
    }
    if (next != wanted.end() && next->prefix == route.prefix) {
      record(diff, route.prefix, route.value, next++->value);
    } else {
      record(diff, route.prefix, route.value, fib::no_route);
    }
  });
  for (; next != wanted.end(); ++next) {
    record(diff, next->prefix, fib::no_route, next->value);
  }
  return diff;
}

TableDiff change(const fib::Fib& table, std::span<const fib::Route> changes) {
  TableDiff diff;
  for (const auto& route : changes) {
    record(diff, route.prefix, table.find(route.prefix).value_or(fib::no_route), route.value);
  }
  return diff;
}

void renumber(const fib::Fib& table, const Renumbering& renumbering, TableDiff& diff) {
  for (auto& route : diff.changes) {
    if (const auto index = renumbering[route.value]; index != fib::no_route) {
      route.value = index;
    }
  }
  TableDiff merged{
      .changes = {}, .inverse = {}, .added = diff.added, .changed = diff.changed, .removed = diff.removed};
  std::size_t next = 0;
  const auto take = [&] {
    merged.changes.push_back(diff.changes[next]);
    merged.inverse.push_back(diff.inverse[next++]);
  };
  table.for_each([&](const fib::Route& route) {
    while (next < diff.changes.size() && diff.changes[next].prefix < route.prefix) {
      take();
    }
    if (next < diff.changes.size() && diff.changes[next].prefix == route.prefix) {
      return take();
    }
    if (const auto index = renumbering[route.value]; index != fib::no_route) {
      merged.changes.push_back({route.prefix, index});
      merged.inverse.push_back(route);
    }
  });
  while (next < diff.changes.size()) {
    take();
  }
  diff = std::move(merged);
}

auto create_table(const Live& live) -> tl::expected<std::unique_ptr<fib::Fib>, std::string> {
  if (live.refuses()) {
    return tl::unexpected(std::string{"refused"});
  }
  return fib::Fib::create(live.qsbr, live.table_options);
}

auto apply(const Live& live, fib::Fib& table, std::span<const fib::Route> changes) -> Result {
  if (changes.empty()) {
    return {};
  }
  if (live.refuses()) {
    return tl::unexpected(std::string{"refused"});
  }
  auto done = table.apply(changes);
  if (!done) {
    // Extension tables that were given back may still wait for their grace period.
    live.qsbr.synchronize();
    done = table.apply(changes);
  }
  return done;
}

void take_back(const Live& live, fib::Fib& table, const TableDiff& diff) {
  if (diff.empty()) {
    return;
  }
  // What was unlinked is free again after this, so that the way back cannot lack extension tables.
  live.qsbr.synchronize();
  static_cast<void>(table.apply(diff.inverse));
  live.qsbr.synchronize();
}

}  // namespace sekisho::writer
