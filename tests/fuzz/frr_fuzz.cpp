// SPDX-License-Identifier: BSD-3-Clause
// Whatever FRR, or something in its place, prints: lists that are sorted and of prefixes, or a refusal with a reason.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/advertise/foreign.hpp"
#include "control/advertise/frr_state.hpp"

namespace {

void check(bool holds) {
  if (!holds)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace advertise = sekisho::advertise;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto config = advertise::read_running_config(text);
  check(std::ranges::is_sorted(config.originated));
  check(config.originated.empty() || !config.asns.empty());
  static_cast<void>(advertise::is_foreign(text));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded())
    return 0;
  const auto peers = advertise::read_summary(json);
  check(peers ? std::ranges::is_sorted(*peers, {}, &advertise::PeerState::address)
              : !peers.error().sentence.empty());
  const auto routes = advertise::read_advertised_routes(json);
  check(routes ? std::ranges::is_sorted(*routes) : !routes.error().sentence.empty());
  return 0;
}
