// SPDX-License-Identifier: BSD-3-Clause
// Members of weight one, by the adjacencies that a table already has.
#pragma once

#include <span>
#include <vector>

#include "dataplane/nexthop/next_hop_table.hpp"

namespace sekisho::nexthop::test {

inline std::vector<Member> members_of(const NextHopTable& table,
                                      std::span<const AdjacencyIndex> adjacencies) {
  std::vector<Member> members;
  for (const auto adjacency : adjacencies) {
    members.push_back({.address = table.adjacency(adjacency).address, .adjacency = adjacency});
  }
  return members;
}

}  // namespace sekisho::nexthop::test
