// SPDX-License-Identifier: BSD-3-Clause
#include "bench/reference_fib.hpp"

#include <fmt/format.h>
#include <rte_errno.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace sekisho::bench {

auto create_rte_fib(const Table& table, unsigned entry_bytes) -> tl::expected<RteFib, std::string> {
  // An entry's lowest bit says whether it leads to a tbl8; the rest is a next hop or a tbl8's number.
  const std::uint64_t highest = (std::uint64_t{1} << (8 * entry_bytes - 1)) - 1;
  const unsigned tbl8 = table.extended_blocks();
  if (table.highest_next_hop() > highest) {
    return tl::unexpected(fmt::format("{} next hops; {}-byte entries name at most {}",
                                      table.highest_next_hop(), entry_bytes, highest));
  }
  if (tbl8 > highest) {
    return tl::unexpected(
        fmt::format("needs {} tbl8; {}-byte entries name at most {}", tbl8, entry_bytes, highest));
  }
  rte_fib_conf configuration{};
  configuration.type = RTE_FIB_DIR24_8;
  configuration.default_nh = fib::no_route;
  configuration.max_routes = static_cast<int>(table.routes.size() + 16);
  configuration.dir24_8.nh_sz = static_cast<rte_fib_dir24_8_nh_sz>(std::countr_zero(entry_bytes));
  // Some more than needed, as tables are changed while they are measured.
  configuration.dir24_8.num_tbl8 = static_cast<std::uint32_t>(std::min<std::uint64_t>(highest, tbl8 + 1024));
  static std::atomic<unsigned> count = 0;
  RteFib created{rte_fib_create(fmt::format("bench-{}", count++).c_str(), 0, &configuration)};
  if (!created) {
    return tl::unexpected(
        fmt::format("rte_fib_create: {}; are there enough free 2 MB pages?", rte_strerror(rte_errno)));
  }
  return created;
}

auto insert(rte_fib& table, std::span<const fib::Route> routes) -> tl::expected<void, std::string> {
  for (const auto& [prefix, next_hop] : routes) {
    if (const int result = rte_fib_add(&table, prefix.address, prefix.length, next_hop); result != 0) {
      return tl::unexpected(fmt::format("rte_fib_add {}: {}", to_string(prefix), std::strerror(-result)));
    }
  }
  return {};
}

}  // namespace sekisho::bench
