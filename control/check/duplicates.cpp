// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/check/place.hpp"
#include "control/check/rules.hpp"

namespace sekisho::check {
namespace {

// Effective routes repeat the System routes that a zone has already, and Microsoft's tags overlap (AzureMonitor.Core lies in
// AzureMonitor): of one next hop that is nobody's mistake.
bool is_duplicate(const route::Route& last, const route::Route& before) {
  const auto repeats = last.origin != route::Origin::user && last.next_hop == before.next_hop;
  return last.prefix == before.prefix && last.origin == before.origin && !repeats;
}

// A file that is named twice would repeat every line: the last that is told of stands for the rest.
void find_duplicates_in(const Facts& facts, const Table& table, Offences& result) {
  constexpr std::size_t most = 20;
  const auto& routes = table.routes->candidates();
  std::vector<std::size_t> found;  // the one that wins, by its place in `routes`
  std::size_t count = 0;
  for (std::size_t i = 1; table.routes->duplicates() != 0 && i < routes.size(); ++i)
    if (is_duplicate(routes[i - 1], routes[i]) && count++ < most)
      found.push_back(i - 1);
  for (const auto at : found) {
    const auto more = at == found.back() && count > most ? fmt::format(" and {} more", count - most) : "";
    result.push_back(
        {place(facts, table, routes[at]), fmt::format("duplicate {}{} in {}, first at {}; the last one wins",
                                                      base::to_string(routes[at].prefix), more, table.name,
                                                      place(facts, table, routes[at + 1]))});
  }
}

auto find_duplicate_route(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables)
    if (table.holder == Table::Holder::zone)
      find_duplicates_in(facts, table, result);
  return result;
}

}  // namespace

const Rule duplicate_route{"duplicate-route", Severity::warning,
                           "A zone's table has one route of a prefix and an origin: what is written last "
                           "replaces what was written before.",
                           "Remove one of the two.", find_duplicate_route};

}  // namespace sekisho::check
