// SPDX-License-Identifier: BSD-3-Clause
// The route tables that everything here is measured with. Real data where there is any (see find_data), else
// a generated table of like shape; `source` says which.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/fib.hpp"

namespace sekisho::bench {

struct Table {
  std::string name;
  std::string source;
  std::vector<fib::Route> routes;  // sorted by prefix, each prefix once

  [[nodiscard]] fib::Value highest_next_hop() const;
  // How many /24s have longer prefixes: DIR-24-8 needs an extension table ("tbl8") for each.
  [[nodiscard]] unsigned extended_blocks() const;
};

// nva      what a network virtual appliance has: two halves of the Internet, private space, a few exceptions
// tags     the halves, and every prefix of every Azure service tag that a route may name
// full     a tier-1 router's 901,899 prefixes with 16 next hops
// full200  the same with 200
inline constexpr std::string_view table_names[] = {"nva", "tags", "full", "full200"};

[[nodiscard]] auto make_table(std::string_view name) -> tl::expected<Table, std::string>;

// A next hop of 1..count for each prefix by a hash of the prefix: neighbouring prefixes disagree. That is the hard
// case; a router's real next hops come in runs.
[[nodiscard]] auto spread(std::span<const base::Prefix> prefixes, unsigned count) -> std::vector<fib::Route>;

}  // namespace sekisho::bench
