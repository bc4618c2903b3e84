// SPDX-License-Identifier: BSD-3-Clause
// What was learned from the kernel's routes at one moment: prefixes, and the ways that they lead. A value that does not change once
// it is made: threads share it. Whether a zone may take a route is not said here: that takes ports and a policy
// (control/policy/learned.hpp).
//
// A table may have 900,000 routes over few ways, so a way is kept once and a route has its index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::route {

// As the kernel has resolved it.
struct LearnedHop {
  std::uint32_t gateway = 0;  // 0: none, the destination is on the link
  int link = 0;
  unsigned weight = 1;
  friend auto operator<=>(const LearnedHop&, const LearnedHop&) = default;
};

struct LearnedWay {
  enum class Kind : std::uint8_t {
    forward,
    drop,     // blackhole, unreachable or prohibit
    unusable  // `why` says why
  };
  Kind kind = Kind::forward;
  std::vector<LearnedHop> hops = {};  // sorted, of one gateway and link one
  std::string why = {};
  friend auto operator<=>(const LearnedWay&, const LearnedWay&) = default;
};

struct LearnedRoute {
  base::Prefix prefix;
  std::uint32_t way = 0;  // of Learned::ways
  std::uint8_t protocol = 0;
  bool held = false;  // the kernel has it no more, and its daemon is gone: it stays for a while
  std::uint64_t since_unix_ms = 0;
};
static_assert(sizeof(LearnedRoute) == 24, "a table may have 900,000 of them");

struct Learned {
  std::vector<LearnedRoute> routes;  // sorted by prefix, each once
  std::vector<LearnedWay> ways;
  std::size_t held = 0;               // of `routes`
  std::size_t in_excess = 0;          // that the kernel has beyond max_prefixes
  std::vector<std::string> problems;  // sentences: what is wrong with the daemon or with what the kernel has
};

}  // namespace sekisho::route
