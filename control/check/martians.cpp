// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/prefix.hpp"
#include "control/check/place.hpp"
#include "control/check/rules.hpp"
#include "control/check/table.hpp"
#include "control/policy/system_routes.hpp"
#include "control/route/martians.hpp"

namespace sekisho::check {
namespace {

// A table's routes that lie in one block are told of as one.
struct InBlock {
  route::Route first;
  std::size_t count = 0;
};

void find_in(const Facts& facts, const Table& table, Offences& result) {
  std::map<base::Prefix, InBlock> blocks;
  for (const auto& route : table.routes->active()) {
    const auto block = route::martian_block(route.prefix);
    if (!block || next_hop_of(table, route) == policy::none ||
        std::ranges::find(policy::host_addresses, route.prefix) != policy::host_addresses.end())
      continue;
    auto& found = blocks[*block];
    if (found.count++ == 0)
      found.first = route;
  }
  for (const auto& [block, found] : blocks)
    result.push_back({place(facts, table, found.first),
                      fmt::format("{}{} in {} can never match: what is for {} is dropped",
                                  base::to_string(found.first.prefix),
                                  found.count == 1 ? "" : fmt::format(" and {} more", found.count - 1),
                                  table.name, base::to_string(block))});
}

auto find_never_matches(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& table : facts.tables)
    // Of a subnet's route table Azure says what matches.
    if (table.holder == Table::Holder::zone || facts.policy->zones.empty())
      find_in(facts, table, result);
  return result;
}

}  // namespace

const Rule never_matches{
    "never-matches", Severity::warning,
    "The dataplane drops what is for 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 and 240.0.0.0/4 "
    "before it asks a table; a route to a part of these sends nothing anywhere.",
    "Remove the route, or give it the next hop None.", find_never_matches};

}  // namespace sekisho::check
