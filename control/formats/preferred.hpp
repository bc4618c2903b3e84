// SPDX-License-Identifier: BSD-3-Clause
// Of several routes of one prefix in a table that of the lowest metric is in force, as routers and clouds have it, and of
// equal ones the first, unless all share the packets. The others are kept for display, and a note says so.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/formats/route_collector.hpp"

namespace sekisho::formats {

// What those of one prefix do that have the lowest metric in common.
enum class Equals : std::uint8_t {
  first,  // the first is in force, as the kernel has it
  share,  // the packets go to the next hops of all of them
};

class Preferred {
 public:
  // `what`: "metric", "priority", for the note; `path`: where JSON has it.
  void add(std::uint64_t metric, std::uint16_t table, RouteCollector::Written route, std::string path);
  // Gives all of them to the collector, in the order in which they came.
  void finish(RouteCollector& routes, std::string_view what, Equals equals = Equals::first);

 private:
  using Key = std::pair<std::uint16_t, base::Prefix>;  // table and prefix
  struct Candidate {
    std::uint64_t metric = 0;
    std::uint16_t table = 0;
    RouteCollector::Written route;
    std::string path;
    bool left_out = false;
  };
  void share(RouteCollector& routes, std::string_view what, const std::map<Key, const Candidate*>& best);

  std::vector<Candidate> candidates_;
};

}  // namespace sekisho::formats
