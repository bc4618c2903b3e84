// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes an MRT file holds: well-formed routes of one peer, the same whether that peer is asked for or the only one,
// or a refusal that names a byte or the peers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/formats/mrt.hpp"
#include "control/formats/mrt_dump.hpp"

namespace {

using namespace sekisho;

void check(bool holds) {
  if (!holds)
    std::abort();
}

bool is_refusal(std::string_view reason) {
  return reason.starts_with("byte ") || reason.starts_with("holds routes of ");
}

void check_routes(const formats::RouteFile& file) {
  for (const auto& route : file.routes) {
    check(route.next_hop < file.next_hops.size() && route.origin == route::Origin::bgp);
    check(route.prefix.length <= 32 && (route.prefix.address & ~route.prefix.mask()) == 0);
  }
  for (const auto& next_hop : file.next_hops) {
    check(next_hop.addresses.size() <= formats::most_ecmp);
    check(std::ranges::is_sorted(next_hop.addresses));
    check(formats::parse_next_hop(formats::to_string(next_hop)) == next_hop);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto only = formats::parse_mrt(bytes, "fuzz.mrt", {});
  if (only)
    check_routes(*only);
  else
    check(is_refusal(only.error().reason));

  formats::MrtDump dump{bytes};
  const auto nothing = [](std::uint32_t, base::Prefix, const formats::Path&) {};
  if (!dump.walk(nothing) || dump.peers().empty() || dump.peers().front().address.is_ipv6)
    return 0;
  formats::Cursor address{{reinterpret_cast<const char*>(dump.peers().front().address.bytes.data()), 4}};
  const auto chosen = formats::parse_mrt(bytes, "fuzz.mrt", address.u32());
  if (chosen)
    check_routes(*chosen);
  else  // it has none, one of its paths is malformed, or another has its address
    check(chosen.error().reason.starts_with("holds no ") || is_refusal(chosen.error().reason));
  if (chosen && only)
    check(chosen->routes.size() == only->routes.size());
  return 0;
}
