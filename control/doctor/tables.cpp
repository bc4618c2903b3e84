// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/tables.hpp"

#include <cstddef>

#include "control/doctor/system.hpp"

namespace sekisho::doctor {
namespace {

constexpr std::uint64_t narrow = 18 * mb;  // dataplane/fib/fib.hpp, rounded up to pages of 2 MB
constexpr std::uint64_t wide = 34 * mb;
constexpr std::uint64_t extension = 512;  // of a wide table
constexpr std::size_t most_narrow_next_hops = 254;
constexpr std::size_t most_narrow_extensions = 1024;

// /24s with longer prefixes within. Candidates are sorted by prefix.
std::size_t extensions_of(const route::RouteTable& table) {
  std::size_t extensions = 0;
  std::uint32_t last = 0;
  for (const auto& route : table.candidates()) {
    const auto block = route.prefix.address >> 8;
    if (route.prefix.length > 24 && (extensions == 0 || block != last)) {
      ++extensions;
      last = block;
    }
  }
  return extensions;
}

}  // namespace

std::uint64_t table_bytes(const policy::Policy& policy) {
  std::uint64_t bytes = narrow;  // of the sources
  for (const auto& zone : policy.zones) {
    const auto extensions = extensions_of(zone.table);
    bytes += extensions > most_narrow_extensions || policy.config.next_hops.size() > most_narrow_next_hops
                 ? wide + extensions * extension
                 : narrow;
  }
  return bytes;
}

}  // namespace sekisho::doctor
